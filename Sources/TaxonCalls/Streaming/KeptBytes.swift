// SPDX-License-Identifier: Apache-2.0

/// What a message keeps until it has been read.
public struct KeptBytes: Sendable, Equatable {
  /// Bytes of the stream's window: what came on the wire.
  public var window: Int
  /// Bytes of memory: the decoded message, and its place in a list.
  public var memory: Int

  /// What a message keeps that waits.
  public init(window: Int, memory: Int) {
    self.window = window
    self.memory = memory
  }

  /// Nothing: the message does not wait.
  public static let none = KeptBytes(window: 0, memory: 0)
}
