// SPDX-License-Identifier: Apache-2.0

/// What a message keeps until it has been read.
package struct KeptBytes: Sendable, Equatable {
  /// Bytes of the stream's window: what came on the wire.
  package var window: Int
  /// Bytes of memory: the decoded message, and its place in a list.
  package var memory: Int

  /// What a message keeps that waits.
  package init(window: Int, memory: Int) {
    self.window = window
    self.memory = memory
  }

  /// Nothing: the message does not wait.
  package static let none = KeptBytes(window: 0, memory: 0)
}
