// SPDX-License-Identifier: Apache-2.0

/// A message that came, and how.
public struct ReceivedMessage<Content: Sendable>: Sendable {
  /// The message.
  public let content: Content
  /// True when it was compressed on the wire.
  public let isCompressed: Bool

  /// A message that came.
  public init(_ content: Content, isCompressed: Bool) {
    self.content = content
    self.isCompressed = isCompressed
  }
}
