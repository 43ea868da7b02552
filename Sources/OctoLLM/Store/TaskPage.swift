// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Some of the tasks, and where to go on.
public struct TaskPage: Hashable, Sendable {
  /// Oldest first.
  public var tasks: [TaskRecord]
  /// For the next page; nil when this is the last.
  public var next: PageToken?
}
