// SPDX-License-Identifier: Apache-2.0

/// A message that came, and how.
package struct ReceivedMessage<Content: Sendable>: Sendable {
  /// The message.
  package let content: Content
  /// True when it was compressed on the wire.
  package let isCompressed: Bool

  /// A message that came.
  package init(_ content: Content, isCompressed: Bool) {
    self.content = content
    self.isCompressed = isCompressed
  }
}
