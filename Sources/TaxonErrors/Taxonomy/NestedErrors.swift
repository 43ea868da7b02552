// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Takes from messages inside of an error what the errors in them keep to themselves, at every depth: in fields, lists, maps and
/// oneofs, and in an Any whose type the error's schema knows.
///
/// Generated code makes one in the payloads of errors that can hold such errors; it is the schema that tells, and other errors pay
/// nothing for it.
public struct NestedErrors: Sendable {
  /// What is left of the errors inside.
  public enum Payload: Sendable {
    /// `DeclaredError.publicPayload`: no internal fields.
    case publicPayload
    /// `DeclaredError.safePayload`: no internal and no personal fields.
    case safePayload
  }

  private let payload: Payload
  private let inAny: [any Message.Type]

  /// - Parameter inAny: The types to be looked for in Anys: errors with such fields, and messages that can hold them.
  public init(_ payload: Payload, inAny: [any Message.Type] = []) {
    self.payload = payload
    self.inAny = inAny
  }

  /// The message without them. One that cannot be encoded, since it is over 2 GiB, stays as it is: it cannot be sent either.
  public func cleared<Content: Message>(_ message: Content) -> Content {
    guard let bytes = try? message.encoded() else { return message }
    // What has just been encoded can be decoded, however deep; and errors keep the fields that they must have.
    let options = DecodingOptions(nestingLimit: .max)
    return (try? Content(decoding: cleared(bytes, of: Content.self, depth: 0), options: options)) ?? message
  }

  /// How many Anys may be in one another; what is deeper is taken away.
  private static let maxDepth = 100

  private func cleared(_ bytes: [UInt8], of type: any Message.Type, depth: Int) -> [UInt8] {
    if let error = type as? any DeclaredError.Type { return cleared(bytes, ofError: error) }
    if type == Google_Protobuf_Any.self { return cleared(any: bytes, depth: depth) }
    return type.descriptor.replacingMessages(in: bytes) { cleared($1, of: $0, depth: depth) }
  }

  private func cleared<Declared: DeclaredError>(_ bytes: [UInt8], ofError type: Declared.Type) -> [UInt8] {
    guard let error = try? Declared(decoding: bytes, options: DecodingOptions(nestingLimit: .max)) else { return [] }
    let rest =
      switch payload {
      case .publicPayload: error.publicPayload
      case .safePayload: error.safePayload
      }
    return (try? rest.encoded()) ?? []
  }

  /// An Any that holds something else stays as it is; of one that does not hold what it says, the type is left.
  private func cleared(any bytes: [UInt8], depth: Int) -> [UInt8] {
    guard var any = try? Google_Protobuf_Any(decoding: bytes), depth < Self.maxDepth else { return [] }
    let name = any.messageName
    guard let type = (inAny + [Google_Protobuf_Any.self]).first(where: { $0.descriptor.name == name }) else {
      return bytes
    }
    any.value = cleared(any.value, of: type, depth: depth + 1)
    return (try? any.encoded()) ?? []
  }
}
