// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonTransport

/// How calls are written on HTTP: which content types are theirs, and what heads and ends look like. Each protocol is a type
/// without instances, in a file of its own; a request's content type chooses it, with the codec of the messages.
package protocol WireProtocol: SendableMetatype {
  /// How messages are written under a content type; nil when it is not one of the protocol's.
  static func codec(contentType: UnsafeBufferPointer<UInt8>) -> MessageCodec?

  // MARK: What a server answers

  /// The head of an answer that has messages.
  static func head(_ initial: Metadata, _ compression: Compression?) -> HeaderBlock
  /// The end of an answer, when the call has succeeded.
  static func end(_ trailing: Metadata) -> HeaderBlock
  /// The end of an answer whose head is out, when the call has failed.
  static func end(_ status: WireStatus, _ trailing: [HeaderBlock.Field]) -> HeaderBlock
  /// Head and end at once, when the call has failed before its first message.
  static func headAndEnd(_ status: WireStatus, _ trailing: [HeaderBlock.Field]) -> HeaderBlock

  // MARK: What a client asks

  /// Fields that the head of every request has.
  static var requestFields: [HeaderBlock.Field] { get }
  /// Fields that say how long the caller waits, and how its messages are compressed.
  static func requestFields(timeout: Duration?, compression: Compression?) -> [HeaderBlock.Field]
}
