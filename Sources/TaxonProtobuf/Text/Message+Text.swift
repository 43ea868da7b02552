// SPDX-License-Identifier: Apache-2.0

// The text format: https://protobuf.dev/reference/protobuf/textformat-spec

extension Message {
  /// Reads a message in the text format.
  ///
  /// Throws with the reason, the message, the field and the place when `text` is not a message of this type.
  public init(
    textFormat text: UnsafeBufferPointer<UInt8>, options: TextFormatDecodingOptions = TextFormatDecodingOptions()
  ) throws(TextFormatDecodingError) {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    let root = try Self.descriptor.parseText(text, arena: arena, options: options)
    do {
      self = try Self.descriptor.structTable.make(Self.self, root, arena)
    } catch {
      throw TextFormatDecodingError(lifting: error)
    }
  }

  /// Reads a message in the text format; without a copy where the string's UTF-8 is contiguous.
  ///
  /// Throws with the reason, the message, the field and the place when `text` is not a message of this type.
  public init(
    textFormat text: some StringProtocol, options: TextFormatDecodingOptions = TextFormatDecodingOptions()
  ) throws(TextFormatDecodingError) {
    self = try Self(textFormat: text.utf8, options: options)
  }

  /// Reads a message from any collection of bytes that is its text format in UTF-8; without a copy where the collection
  /// is contiguous.
  ///
  /// Throws with the reason, the message, the field and the place when `text` is not a message of this type.
  public init(
    textFormat text: some Collection<UInt8>, options: TextFormatDecodingOptions = TextFormatDecodingOptions()
  ) throws(TextFormatDecodingError) {
    let result = text.withContiguousStorageIfAvailable { text -> Result<Self, TextFormatDecodingError> in
      do throws(TextFormatDecodingError) {
        return .success(try Self(textFormat: text, options: options))
      } catch {
        return .failure(error)
      }
    }
    if let result {
      self = try result.get()
    } else {
      self = try Array(text).withUnsafeBufferPointer { (text) throws(TextFormatDecodingError) in
        try Self(textFormat: text, options: options)
      }
    }
  }

  /// The fields in the text format, a line each, indented by two spaces a level; `init(textFormat:)` reads them back.
  ///
  /// Fields that are not set, or have no presence and their default value, are left out; entries of maps come in the
  /// order of their keys.
  public func textFormatString(options: TextFormatEncodingOptions = TextFormatEncodingOptions()) -> String {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    return StructTable.withLowered(self, arena) { base in
      var printer = TextPrinter(options, arena)
      return printer.text(of: base, Self.descriptor)
    }
  }
}

extension MessageDescriptor {
  /// Reads a message into the arena. It refers to the text, which must stay.
  func parseText(
    _ text: UnsafeBufferPointer<UInt8>, arena: MessageArena, options: TextFormatDecodingOptions
  ) throws(TextFormatDecodingError) -> UnsafeRawPointer {
    link()
    var parser = TextParser(text, arena: arena, options: options)
    do throws(TextFault) {
      return UnsafeRawPointer(try parser.root(self.text))
    } catch {
      throw parser.error(in: text, name)
    }
  }
}

extension TextFormatDecodingError {
  /// What the message's own code rejects after the parser has accepted it, which does not happen.
  init(lifting error: MessageDecodingError) {
    let isMissing = error.reason == .missingRequiredField
    self.init(
      isMissing ? .missingRequiredField(error.fieldName ?? "") : .invalidUTF8, messageName: error.messageName,
      fieldName: error.fieldName, path: "", offset: 0, in: UnsafeBufferPointer(start: nil, count: 0))
  }
}

/// How a message is written in the text format.
public struct TextFormatEncodingOptions: Sendable {
  /// Everything is in one line, with spaces between the fields.
  public var printsInOneLine: Bool
  /// Fields that the message does not have are written behind the others, by number. Such a text is for people:
  /// it does not say how a value goes over the wire, so nothing can read these fields back.
  public var printsUnknownFields: Bool
  /// Enums are written as numbers rather than names.
  public var printsEnumsAsNumbers: Bool
  /// The types that a `google.protobuf.Any` may hold, besides the well-known ones, and the extensions of messages. An
  /// Any of another type is written with its type URL and its bytes; another extension is an unknown field.
  public var registry: TypeRegistry

  /// The usual options: lines, no unknown fields, names of enums, an empty registry.
  public init(
    printsInOneLine: Bool = false, printsUnknownFields: Bool = false, printsEnumsAsNumbers: Bool = false,
    registry: TypeRegistry = TypeRegistry()
  ) {
    self.printsInOneLine = printsInOneLine
    self.printsUnknownFields = printsUnknownFields
    self.printsEnumsAsNumbers = printsEnumsAsNumbers
    self.registry = registry
  }
}

/// How a message is read in the text format.
public struct TextFormatDecodingOptions: Sendable {
  /// Fields and extensions that the message does not have are skipped, also by number, and so are values of enums whose
  /// name is not known; otherwise they are errors. Names that the schema reserves are always skipped.
  public var ignoresUnknownFields: Bool
  /// How many messages may be nested inside the outermost one, as in the binary format: the entry of a map is a message.
  /// Messages and lists of what is skipped count as well.
  public var nestingLimit: Int
  /// The types that an expanded `google.protobuf.Any` may hold, besides the well-known ones, and the extensions of
  /// messages.
  public var registry: TypeRegistry

  /// The usual options: unknown fields are errors, a nesting limit of 100, an empty registry.
  public init(
    ignoresUnknownFields: Bool = false, nestingLimit: Int = 100, registry: TypeRegistry = TypeRegistry()
  ) {
    self.ignoresUnknownFields = ignoresUnknownFields
    self.nestingLimit = nestingLimit
    self.registry = registry
  }
}
