// SPDX-License-Identifier: Apache-2.0

extension Google_Protobuf_Any {
  /// The usual beginning of type URLs.
  public static let usualPrefix = "type.googleapis.com/"

  /// The type URL of a message type, with the usual prefix.
  public static func typeURL(of type: any Message.Type) -> String { usualPrefix + type.descriptor.name }

  /// Packs a message. Throws when it is larger than 2 GiB.
  public init(packing message: some Message) throws(MessageEncodingError) {
    self.init(typeURL: Self.typeURL(of: type(of: message)), value: try message.encoded())
  }

  /// The full name of the message inside: what follows the last slash of the type URL.
  public var messageName: String { Self.messageName(ofURL: typeURL) }

  /// The full name of a message: what follows the last slash of its type URL.
  package static func messageName(ofURL url: String) -> String {
    guard let slash = url.utf8.lastIndex(of: UInt8(ascii: "/")) else { return url }
    return String(url[url.utf8.index(after: slash)...])
  }

  /// What follows the last slash of a type URL; nil where there is no slash or nothing behind it.
  static func messageName(in url: UnsafeBufferPointer<UInt8>) -> String? {
    guard let slash = url.lastIndex(of: UInt8(ascii: "/")), slash + 1 < url.count else { return nil }
    return String(decoding: url[(slash + 1)...], as: UTF8.self)
  }

  /// Whether the message inside is of this type, whatever the prefix of the type URL.
  public func holds(_ type: any Message.Type) -> Bool { messageName == type.descriptor.name }

  /// The message inside; nil when it is of another type. Throws when it cannot be decoded.
  public func unpacked<M: Message>(
    as type: M.Type = M.self, options: DecodingOptions = DecodingOptions()
  ) throws(MessageDecodingError) -> M? {
    holds(type) ? try M(decoding: value, options: options) : nil
  }

  /// The message inside, of any type; nil when the registry does not have it. Throws when it cannot be decoded.
  public func unpacked(
    from registry: TypeRegistry, options: DecodingOptions = DecodingOptions()
  ) throws(MessageDecodingError) -> (any Message)? {
    guard let type = registry.type(named: messageName) else { return nil }
    return try type.init(decoding: value, options: options)
  }
}
