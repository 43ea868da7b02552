// SPDX-License-Identifier: Apache-2.0

// The canonical mapping of protobuf to JSON: https://protobuf.dev/programming-guides/json

extension Message {
  /// Reads a message from JSON.
  ///
  /// Throws with the reason, the message, the field and the place when `text` is not a JSON form of this type.
  @inlinable
  public init(
    json text: UnsafeBufferPointer<UInt8>, options: JSONDecodingOptions = JSONDecodingOptions()
  ) throws(JSONDecodingError) {
    self = try withUnsafeTemporaryAllocation(of: Self.self, capacity: 1) {
      (result) throws(JSONDecodingError) -> Self in
      // A buffer of one has a base address.
      try Self.descriptor.decode(json: text, to: result.baseAddress!, MemoryLayout<Self>.size, options: options)
      return result.baseAddress!.move()
    }
  }

  /// Reads a message from JSON.
  ///
  /// Throws with the reason, the message, the field and the place when `text` is not a JSON form of this type.
  @inlinable
  public init(
    json text: [UInt8], options: JSONDecodingOptions = JSONDecodingOptions()
  ) throws(JSONDecodingError) {
    self = try text.withUnsafeBufferPointer { (text) throws(JSONDecodingError) in
      try Self(json: text, options: options)
    }
  }

  /// Reads a message from JSON; without a copy where the string's UTF-8 is contiguous.
  ///
  /// Throws with the reason, the message, the field and the place when `text` is not a JSON form of this type.
  @inlinable
  public init(
    json text: some StringProtocol, options: JSONDecodingOptions = JSONDecodingOptions()
  ) throws(JSONDecodingError) {
    self = try Self(json: text.utf8, options: options)
  }

  /// Reads a message from any collection of bytes that is JSON in UTF-8; without a copy where the collection is
  /// contiguous.
  ///
  /// Throws with the reason, the message, the field and the place when `text` is not a JSON form of this type.
  @inlinable
  public init(
    json text: some Collection<UInt8>, options: JSONDecodingOptions = JSONDecodingOptions()
  ) throws(JSONDecodingError) {
    let result = text.withContiguousStorageIfAvailable { text -> Result<Self, JSONDecodingError> in
      do throws(JSONDecodingError) {
        return .success(try Self(json: text, options: options))
      } catch {
        return .failure(error)
      }
    }
    if let result {
      self = try result.get()
    } else {
      self = try Self(json: Array(text), options: options)
    }
  }

  /// The message as JSON in UTF-8, without white space.
  ///
  /// Throws for what JSON cannot express: a `google.protobuf.Any` whose type is not registered, a Timestamp, Duration
  /// or FieldMask out of its range, a Value that is NaN or infinite.
  public func jsonBytes(options: JSONEncodingOptions = JSONEncodingOptions()) throws(JSONEncodingError) -> [UInt8] {
    try withJSON(options: options) { Array($0) }
  }

  /// The message as JSON, without white space.
  ///
  /// Throws for what JSON cannot express: a `google.protobuf.Any` whose type is not registered, a Timestamp, Duration
  /// or FieldMask out of its range, a Value that is NaN or infinite.
  public func jsonString(options: JSONEncodingOptions = JSONEncodingOptions()) throws(JSONEncodingError) -> String {
    // The printer writes UTF-8: strings are checked when they become messages' fields.
    try withJSON(options: options) { String(checking: $0) ?? String(decoding: $0, as: UTF8.self) }
  }

  /// Gives `body` the message as JSON in UTF-8, which is valid while `body` runs.
  ///
  /// Throws as `jsonBytes` does; `body` is not called then.
  public func withJSON<Result>(
    options: JSONEncodingOptions = JSONEncodingOptions(), _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) throws(JSONEncodingError) -> Result {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    var printer = JSONPrinter(options: options, arena: arena)
    defer { printer.buffer.free() }
    try StructTable.withLowered(self, arena) { (base) throws(JSONEncodingError) in
      try printer.print(base) { (printer, base) throws(JSONFault) in
        try printer.message(base, Self.descriptor.json)
      }
    }
    return body(printer.buffer.bytes)
  }
}

extension JSONPrinter {
  /// Prints a message that was just lowered, or a part of it.
  mutating func print(
    _ base: UnsafeMutableRawPointer,
    _ body: (inout JSONPrinter, UnsafeMutableRawPointer) throws(JSONFault) -> Void
  ) throws(JSONEncodingError) {
    if let missing = arena.state.pointee.missing {
      let descriptor = missing.descriptor.takeUnretainedValue()
      throw JSONEncodingError(
        reason: .missingRequiredField(descriptor.fields[missing.field].name), messageName: descriptor.name, path: "")
    }
    do throws(JSONFault) {
      try body(&self, base)
    } catch {
      throw self.error
    }
  }
}

extension MessageDescriptor {
  /// Decodes a message into a struct of `size` bytes. Where that throws, the memory is left uninitialised.
  @usableFromInline
  func decode(
    json text: UnsafeBufferPointer<UInt8>, to memory: UnsafeMutableRawPointer, _ size: Int,
    options: JSONDecodingOptions
  ) throws(JSONDecodingError) {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    let table = structTable
    table.requireSize(size)
    let root = try parseJSON(text, arena: arena, options: options)
    do {
      try table.lift(root, to: memory, arena)
    } catch {
      throw JSONDecodingError(lifting: error)
    }
  }

  /// Reads a message into the arena. It refers to the text, which must stay.
  func parseJSON(
    _ text: UnsafeBufferPointer<UInt8>, arena: MessageArena, options: JSONDecodingOptions
  ) throws(JSONDecodingError) -> UnsafeRawPointer {
    link()
    var parser = JSONParser(text, arena: arena, options: options)
    do throws(JSONFault) {
      return UnsafeRawPointer(try parser.root(json))
    } catch {
      throw parser.error(in: text)
    }
  }
}

extension JSONDecodingError {
  /// What the message's own code rejects after the parser has accepted it, which does not happen.
  init(lifting error: MessageDecodingError) {
    let isMissing = error.reason == .missingRequiredField
    self.init(
      isMissing ? .missingRequiredField(error.fieldName ?? "") : .invalidUTF8, messageName: error.messageName,
      fieldName: error.fieldName, place: JSONPlace(0, in: UnsafeBufferPointer(start: nil, count: 0)))
  }
}

/// How a message is written as JSON.
public struct JSONEncodingOptions: Sendable {
  /// Fields have the names of the schema, `task_id`, rather than `taskId`.
  public var usesOriginalNames: Bool
  /// Fields without presence are written also when they have their default value: numbers, strings, bytes, bools and
  /// enums of proto3, empty lists and maps.
  public var printsDefaults: Bool
  /// Enums are written as numbers rather than names.
  public var printsEnumsAsNumbers: Bool
  /// The entries of maps are sorted by their keys. Otherwise they come in the order of Swift's dictionaries, which
  /// changes from one run of a program to the next.
  public var sortsMapKeys: Bool
  /// The types that a `google.protobuf.Any` may hold, besides the well-known ones, and the extensions of messages.
  public var registry: TypeRegistry

  /// The usual options: JSON names, no defaults, names of enums, an empty registry.
  public init(
    usesOriginalNames: Bool = false, printsDefaults: Bool = false, printsEnumsAsNumbers: Bool = false,
    sortsMapKeys: Bool = false, registry: TypeRegistry = TypeRegistry()
  ) {
    self.usesOriginalNames = usesOriginalNames
    self.printsDefaults = printsDefaults
    self.printsEnumsAsNumbers = printsEnumsAsNumbers
    self.sortsMapKeys = sortsMapKeys
    self.registry = registry
  }
}

/// How a message is read from JSON.
public struct JSONDecodingOptions: Sendable {
  /// Fields that the message does not have are skipped, and so are values of enums whose name is not known; otherwise
  /// they are errors.
  public var ignoresUnknownFields: Bool
  /// How many messages may be nested inside the outermost one. They are counted as in the binary format, so that what
  /// was read can be encoded and decoded again: the entry of a map is a message, and so is a `google.protobuf.Value`.
  /// Objects and lists of what is skipped count as well.
  public var nestingLimit: Int
  /// The types that a `google.protobuf.Any` may hold, besides the well-known ones, and the extensions of messages.
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
