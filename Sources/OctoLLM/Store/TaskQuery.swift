// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Which tasks to list.
public struct TaskQuery: Hashable, Sendable {
  /// Only tasks in this state; unspecified: all.
  public var status: TaskStatus
  /// How many at most; at least 1.
  public var size: Int
  /// The last task of the page before.
  public var after: PageToken?

  /// The first 100 tasks in any state, unless said otherwise.
  public init(status: TaskStatus = .unspecified, size: Int = 100, after: PageToken? = nil) {
    self.status = status
    self.size = max(1, size)
    self.after = after
  }
}
