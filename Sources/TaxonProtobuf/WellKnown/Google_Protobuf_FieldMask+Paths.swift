// SPDX-License-Identifier: Apache-2.0

// Paths are names of the schema with dots between them: `user.display_name`.

extension Google_Protobuf_FieldMask: ExpressibleByArrayLiteral {
  /// A mask of these paths.
  public init(arrayLiteral paths: String...) { self.init(paths: paths) }
}

extension Google_Protobuf_FieldMask {
  /// A mask of these paths; nil when one does not lead to a field of the message.
  public init?(_ paths: [String], of type: any Message.Type) {
    guard paths.allSatisfy({ Self.isPath($0, of: type) }) else { return nil }
    self.init(paths: paths)
  }

  /// A mask of all fields of a message, those inside of its messages included.
  public init(allFieldsOf type: any Message.Type) {
    self.init(paths: type.descriptor.fields.map(\.name))
  }

  /// Whether all paths lead to fields of the message.
  public func isValid(for type: any Message.Type) -> Bool {
    paths.allSatisfy { Self.isPath($0, of: type) }
  }

  /// Whether a path leads to a field of a message. Only the last name may be that of a list or a map
  /// (google/protobuf/field_mask.proto).
  public static func isPath(_ path: String, of type: any Message.Type) -> Bool {
    var type: (any Message.Type)? = type
    for name in path.split(separator: ".", omittingEmptySubsequences: false) {
      guard let field = type?.descriptor.fields.first(where: { $0.name == name }) else { return false }
      switch field.type.label {
      case .repeated, .packed, .map: type = nil
      case .implicit, .optional, .required, .oneof: type = field.type.messageType
      }
    }
    return true
  }

  /// Whether the mask has a path, or one that contains it: `user` has `user.name`.
  public func contains(_ path: String) -> Bool {
    paths.contains { $0 == path || path.utf8.count > $0.utf8.count && path.hasPrefix($0 + ".") }
  }
}

/// The paths of a FieldMask: snake_case in the message, lowerCamelCase in JSON.
enum FieldMaskPath {
  /// nil when the result would not convert back: for capitals, and for underscores without a small letter behind.
  static func camelCase(_ path: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(path.count)
    var isBehindUnderscore = false
    for byte in path {
      if isBehindUnderscore {
        guard isSmall(byte) else { return nil }
        result.append(byte - 32)
        isBehindUnderscore = false
      } else if byte == UInt8(ascii: "_") {
        isBehindUnderscore = true
      } else {
        guard isPlain(byte), !isCapital(byte) else { return nil }
        result.append(byte)
      }
    }
    return isBehindUnderscore || path.isEmpty ? nil : result
  }

  /// nil for underscores, and for characters that names of fields cannot have.
  static func snakeCase(_ path: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    for byte in path {
      guard byte != UInt8(ascii: "_"), isPlain(byte) else { return nil }
      if isCapital(byte) {
        result.append(UInt8(ascii: "_"))
        result.append(byte + 32)
      } else {
        result.append(byte)
      }
    }
    return result.isEmpty ? nil : result
  }

  private static func isSmall(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

  private static func isCapital(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }

  private static func isPlain(_ byte: UInt8) -> Bool {
    isSmall(byte) || isCapital(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
  }
}
