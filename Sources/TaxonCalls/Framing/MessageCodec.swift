// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// How a message is written.
package enum MessageCodec: Sendable {
  /// Protobuf's binary format.
  case binary
  /// What a coder makes of messages, such as JSON.
  case other(any MessageCoder)
}

/// Writes and reads messages in another form than protobuf's binary format.
package protocol MessageCoder: AnyObject, Sendable {
  /// The message that came.
  ///
  /// - Throws: A declared error of Taxon's that says what is wrong with the bytes.
  func decode<Content: Message>(_ type: Content.Type, _ bytes: UnsafeRawBufferPointer) throws(RPCError) -> Content
  /// Calls `body` once with the message's bytes, which are good during the call.
  ///
  /// - Throws: `CallError.MalformedMessage` when the form cannot express the message; `body` is not called then.
  func encode<Content: Message>(
    _ message: Content, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(RPCError)
}

extension MessageCodec {
  /// The message that came.
  ///
  /// - Throws: `CallError.MalformedMessage` when it cannot be decoded, or what else a coder says of it.
  package func decode<Content: Message>(
    _ type: Content.Type, _ bytes: UnsafeRawBufferPointer
  ) throws(RPCError) -> Content {
    if case .other(let coder) = self { return try coder.decode(type, bytes) }
    do throws(MessageDecodingError) {
      return try Content(decoding: bytes)
    } catch {
      throw RPCError(CallError.MalformedMessage(type: Content.descriptor.name, reason: "\(error)"))
    }
  }
}

/// Protobuf's canonical mapping to JSON.
package final class JSONCoder: MessageCoder {
  let decoding: JSONDecodingOptions
  let encoding: JSONEncodingOptions

  /// A coder with these options.
  package init(decoding: JSONDecodingOptions = .init(), encoding: JSONEncodingOptions = .init()) {
    self.decoding = decoding
    self.encoding = encoding
  }

  package func decode<Content: Message>(
    _ type: Content.Type, _ bytes: UnsafeRawBufferPointer
  ) throws(RPCError) -> Content {
    let text = bytes.assumingMemoryBound(to: UInt8.self)
    do throws(JSONDecodingError) {
      return try Content(json: text, options: decoding)
    } catch {
      throw RPCError(json: error, in: text, of: type, options: decoding)
    }
  }

  package func encode<Content: Message>(
    _ message: Content, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(RPCError) {
    do throws(JSONEncodingError) {
      try message.withJSON(options: encoding) { body(UnsafeRawBufferPointer($0)) }
    } catch {
      throw RPCError(CallError.MalformedMessage(type: Content.descriptor.name, reason: "\(error)"))
    }
  }
}

extension MessageCodec {
  /// A media type with the codec's suffix, where there is one: "application/grpc" or "application/grpc+json".
  func contentType(_ type: String) -> String {
    switch self {
    case .binary: type
    case .other: type + "+json"
    }
  }
}
