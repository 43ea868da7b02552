// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Where a list goes on. A token is good for the filter it was made for, so that a client cannot mix up two lists.
public struct PageToken: Hashable, Sendable {
  let status: TaskStatus
  let position: Int64

  init(status: TaskStatus, position: Int64) {
    self.status = status
    self.position = position
  }

  /// Reads a token; nil when it was not made by `text`.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let status = Int32(parts[0]), let position = Int64(parts[1]), position >= 0 else {
      return nil
    }
    self.init(status: TaskStatus(rawValue: status), position: position)
  }

  /// The token as it travels; opaque to clients.
  public var text: String { "\(status.rawValue).\(position)" }
}
