// SPDX-License-Identifier: Apache-2.0

// Messages in parts, as REST has them: the JSON of one field, and fields as plain text in paths and queries.

extension MessageDescriptor {
  /// The field with this name in the schema or in JSON.
  package func field(named name: String) -> Field? {
    link()
    guard let index = name.withContiguousUTF8({ json.pointee.names.index(of: $0) }) else { return nil }
    return fields[layout[index].position]
  }

  /// Reads JSON and returns the message in the binary format. Such bytes, put behind those of other fields, make one message
  /// (protobuf's encoding, "Last One Wins").
  ///
  /// - Parameter field: The field whose value the text is; nil when it is the whole message.
  /// - Throws: When the text is not a JSON form of the message or the field.
  package func encoded(
    json text: UnsafeBufferPointer<UInt8>, field: Field?, options: JSONDecodingOptions
  ) throws(JSONDecodingError) -> [UInt8] {
    link()
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    var parser = JSONParser(text, arena: arena, options: options)
    do throws(JSONFault) {
      let base: UnsafeMutableRawPointer
      if let field, let index = index(of: field.number) {
        base = try parser.root(json, member: index)
      } else {
        base = try parser.root(json)
      }
      return try parser.packed(base, json, parser.start).map(Array.init) ?? []
    } catch {
      throw parser.error(in: text)
    }
  }
}

extension JSONParser {
  /// A message of which the text is the value of one member, and nothing behind it.
  fileprivate mutating func root(
    _ table: UnsafePointer<JSONTable>, member index: Int
  ) throws(JSONFault) -> UnsafeMutableRawPointer {
    let base = table.pointee.makeInstance(in: arena)
    let member = UnsafePointer(table.pointee.members + index)
    do throws(JSONFault) {
      try field(member, base, table, start)
    } catch {
      if faultTable == nil {
        faultTable = table
        faultMember = member
      }
      throw error
    }
    skipSpace()
    guard cursor == end else { throw fail(.trailingCharacters, at: cursor, in: table) }
    return base
  }
}

extension Field {
  /// Whether plain text can be the field's value, or one of its values: scalars, enums, and the well-known types that JSON has
  /// as one text, number or boolean.
  package var takesPlainText: Bool {
    guard type.label != .map else { return false }
    guard let message = type.messageType?.descriptor else { return true }
    message.link()
    switch message.json.pointee.form {
    case .timestamp, .duration, .fieldMask, .wrapper: return true
    case .object, .empty, .any, .structure, .value, .list: return false
    }
  }

  /// The field in the binary format, tag included, from plain text: numbers, booleans, names or numbers of enums, bytes in
  /// base64, and the JSON forms of well-known types without their quotes. Of a repeated field it is one value.
  ///
  /// - Parameter message: The message that has the field, which must take plain text.
  /// - Throws: When the text does not fit the field.
  package func encoded(plainText text: String, in message: MessageDescriptor) throws(JSONDecodingError) -> [UInt8] {
    if type.kind == .string { return encoded(payload: Array(text.utf8)) }
    let isList = type.label == .repeated || type.label == .packed
    let value = Self.isBare(text, in: self) ? text : Self.quoted(text)
    return try Array((isList ? "[\(value)]" : value).utf8).withUnsafeBufferPointer { (json) throws(JSONDecodingError) in
      try message.encoded(json: json, field: self, options: JSONDecodingOptions())
    }
  }

  /// The field in the binary format, tags included, whose value is the payload: a text, or an encoded message.
  package func encoded(payload: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(payload.count + 10)
    result.append(varint: UInt64(number) << 3 | UInt64(type.wireType.rawValue))
    if type.wireType == .lengthDelimited { result.append(varint: UInt64(payload.count)) }
    result += payload
    if type.wireType == .startGroup { result.append(varint: UInt64(number) << 3 | UInt64(WireType.endGroup.rawValue)) }
    return result
  }

  /// The field in the binary format, tag included, whose value is a varint.
  package func encoded(varint value: UInt64) -> [UInt8] {
    var result: [UInt8] = []
    result.append(varint: UInt64(number) << 3 | UInt64(WireType.varint.rawValue))
    result.append(varint: value)
    return result
  }

  /// Whether JSON has the text without quotes: booleans, and enums by number.
  private static func isBare(_ text: String, in field: Field) -> Bool {
    switch field.type.kind {
    case .bool: text == "true" || text == "false"
    case .enum: Int32(text) != nil && !text.hasPrefix("+")
    case .message:
      // Of the types that take plain text, only a wrapper has such a field.
      field.type.messageType?.descriptor.fields.first.map { $0.name == "value" && isBare(text, in: $0) } ?? false
    default: false
    }
  }

  private static func quoted(_ text: String) -> String {
    var buffer = JSONBuffer(arena: nil)
    defer { buffer.free() }
    text.withContiguousUTF8 { buffer.string($0) }
    return String(decoding: buffer.bytes, as: UTF8.self)
  }
}

extension Message {
  /// The JSON of one field's value: null for a field with presence that is not set, an empty list or object for none.
  ///
  /// - Throws: As `jsonBytes` does.
  package func jsonBytes(
    of field: Field, options: JSONEncodingOptions = JSONEncodingOptions()
  ) throws(JSONEncodingError) -> [UInt8] {
    let descriptor = Self.descriptor
    guard let index = descriptor.index(of: field.number) else { return Array("null".utf8) }
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    var printer = JSONPrinter(options: options, arena: arena)
    defer { printer.buffer.free() }
    try StructTable.withLowered(self, arena) { (base) throws(JSONEncodingError) in
      try printer.print(base) { (printer, base) throws(JSONFault) in
        try printer.value(of: index, in: base, descriptor.json)
      }
    }
    return Array(printer.buffer.bytes)
  }
}

extension JSONPrinter {
  /// The value of one member.
  fileprivate mutating func value(
    of index: Int, in base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>
  ) throws(JSONFault) {
    let member = UnsafePointer(table.pointee.members + index)
    let slot = base + member.pointee.offset
    let quantifier = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
    switch member.pointee.label {
    case .oneof where quantifier != Int(member.pointee.number): buffer.raw("null")
    case .optional where quantifier == 0, .required where quantifier == 0: buffer.raw("null")
    default: try field(slot, quantifier, member)
    }
  }
}
