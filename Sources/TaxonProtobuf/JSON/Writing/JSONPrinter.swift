// SPDX-License-Identifier: Apache-2.0

/// Prints a lowered message, or an unpacked one, as JSON, from its table alone.
struct JSONPrinter {
  let options: JSONEncodingOptions
  let arena: MessageArena
  var buffer: JSONBuffer
  /// How many more messages inside of an Any may be nested in each other.
  var nestingLeft = 100
  private let usesOriginalNames: Bool
  private let printsDefaults: Bool
  private let printsEnumsAsNumbers: Bool
  /// Set before a fault is thrown.
  private(set) var reason: JSONEncodingError.Reason?
  private(set) var messageName = ""
  private var path: [String] = []

  init(options: JSONEncodingOptions, arena: MessageArena) {
    self.options = options
    self.arena = arena
    usesOriginalNames = options.usesOriginalNames
    printsDefaults = options.printsDefaults
    printsEnumsAsNumbers = options.printsEnumsAsNumbers
    buffer = JSONBuffer(arena: arena)
  }

  mutating func fail(_ reason: JSONEncodingError.Reason, _ table: UnsafePointer<JSONTable>) -> JSONFault {
    self.reason = reason
    messageName = table.pointee.name
    return JSONFault()
  }

  /// The fault that was thrown, for users. Its reason is set before it is thrown.
  var error: JSONEncodingError {
    JSONEncodingError(
      reason: reason ?? .nestingTooDeep, messageName: messageName, path: path.reversed().joined(separator: "."))
  }

  // MARK: Messages

  /// A message in its form: an object, or a well-known type's own.
  mutating func message(_ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>) throws(JSONFault) {
    switch table.pointee.form {
    case .object, .empty:
      buffer.byte(UInt8(ascii: "{"))
      try members(base, table, isFirst: true)
      buffer.byte(UInt8(ascii: "}"))
    case .any: try any(base, table)
    case .timestamp: try timestamp(base, table)
    case .duration: try duration(base, table)
    case .fieldMask: try fieldMask(base, table)
    case .structure, .list:
      let member = table.pointee.members
      let isList = table.pointee.form == .list
      let slot = base + member.pointee.offset
      let count = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
      if isList { try array(slot, count, member) } else { try map(slot, count, member) }
    case .value: try dynamicValue(base, table)
    case .wrapper: try value(base + table.pointee.members.pointee.offset, table.pointee.members)
    }
  }

  /// The fields of a message with commas between them, in the order of their numbers. Returns whether nothing has been
  /// printed.
  @discardableResult
  mutating func members(
    _ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>, isFirst: Bool
  ) throws(JSONFault) -> Bool {
    var isFirst = isFirst
    var member = UnsafePointer(table.pointee.members)
    let end = member + table.pointee.count
    while member < end {
      let slot = base + member.pointee.offset
      let quantifier = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
      if isPrinted(slot, quantifier, member) {
        if !isFirst { buffer.byte(UInt8(ascii: ",")) }
        isFirst = false
        buffer.raw(usesOriginalNames ? member.pointee.originalKey : member.pointee.key)
        do throws(JSONFault) {
          try field(slot, quantifier, member)
        } catch {
          path.append(table.pointee.name(of: member))
          throw error
        }
      }
      member += 1
    }
    if MessageReader.hasUnknownFields(base) { isFirst = try extensions(base, table, isFirst: isFirst) }
    return isFirst
  }

  @inline(__always)
  private func isPrinted(_ slot: UnsafeRawPointer, _ quantifier: Int, _ member: UnsafePointer<JSONMember>) -> Bool {
    switch member.pointee.label {
    case .oneof: quantifier == Int(member.pointee.number)
    // The wire may have had a default value.
    case .implicit: printsDefaults || quantifier != 0 && !member.pointee.kind.isDefault(slot)
    case .repeated, .packed, .map: printsDefaults || quantifier != 0
    case .optional, .required: quantifier != 0
    }
  }

  @inline(__always)
  mutating func field(
    _ slot: UnsafeRawPointer, _ quantifier: Int, _ member: UnsafePointer<JSONMember>
  ) throws(JSONFault) {
    switch member.pointee.label {
    case .repeated, .packed: try array(slot, quantifier, member)
    case .map: try map(slot, quantifier, member)
    case .implicit, .optional, .required, .oneof: try value(slot, member)
    }
  }

  private mutating func array(
    _ slot: UnsafeRawPointer, _ count: Int, _ member: UnsafePointer<JSONMember>
  ) throws(JSONFault) {
    buffer.byte(UInt8(ascii: "["))
    if count > 0 {
      let stride = member.pointee.kind.stride
      // The pointer is set when there are elements.
      var element = slot.load(as: UnsafeRawPointer.self)
      let end = element + count * stride
      try value(element, member)
      element += stride
      while element < end {
        buffer.byte(UInt8(ascii: ","))
        try value(element, member)
        element += stride
      }
    }
    buffer.byte(UInt8(ascii: "]"))
  }

  /// A value that is neither a list nor a map.
  @inline(__always)
  mutating func value(_ slot: UnsafeRawPointer, _ member: UnsafePointer<JSONMember>) throws(JSONFault) {
    if member.pointee.kind == .message {
      let table = member.pointee.table
      // nil in an entry of a map that came without its value.
      try message(slot.load(as: UnsafeRawPointer?.self) ?? table.pointee.emptyInstance, table)
    } else {
      scalar(slot, member)
    }
  }

  private mutating func scalar(_ slot: UnsafeRawPointer, _ member: UnsafePointer<JSONMember>) {
    switch member.pointee.kind {
    case .int32, .sint32, .sfixed32: buffer.decimal(Int64(slot.load(as: Int32.self)))
    case .uint32, .fixed32: buffer.decimal(UInt64(slot.load(as: UInt32.self)))
    case .int64, .sint64, .sfixed64:
      buffer.byte(UInt8(ascii: "\""))
      buffer.decimal(slot.load(as: Int64.self))
      buffer.byte(UInt8(ascii: "\""))
    case .uint64, .fixed64:
      buffer.byte(UInt8(ascii: "\""))
      buffer.decimal(slot.load(as: UInt64.self))
      buffer.byte(UInt8(ascii: "\""))
    case .bool: buffer.raw(slot.load(as: UInt64.self) != 0 ? "true" : "false")
    case .double: buffer.double(slot.load(as: Double.self))
    case .float: buffer.float(slot.load(as: Float.self))
    case .string: buffer.string(slot.loadBytes())
    case .bytes: base64(slot.loadBytes())
    case .enum: enumeration(slot.load(as: Int32.self), member)
    case .message: break
    }
  }

  private mutating func enumeration(_ number: Int32, _ member: UnsafePointer<JSONMember>) {
    // The table makes one for every field that is an enum.
    let table = member.pointee.enumeration!
    if table.pointee.isNull { return buffer.raw("null") }
    if !printsEnumsAsNumbers, let text = table.pointee.text(of: number) { return buffer.raw(text) }
    buffer.decimal(Int64(number))
  }

  private mutating func base64(_ bytes: UnsafeBufferPointer<UInt8>) {
    let count = Base64.encodedCount(bytes.count, isPadded: true)
    buffer.reserve(count + 2)
    buffer.byte(UInt8(ascii: "\""))
    Base64.encode(bytes, isPadded: true, to: buffer.cursor)
    buffer.cursor += count
    buffer.byte(UInt8(ascii: "\""))
  }
}

extension UnsafeRawPointer {
  /// The bytes of a string or bytes field.
  @inline(__always)
  func loadBytes() -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: load(fromByteOffset: 8, as: UnsafePointer<UInt8>?.self), count: load(as: Int.self))
  }
}

extension FieldKind {
  /// Whether a slot has the value that a field without presence leaves out.
  @inline(__always)
  func isDefault(_ slot: UnsafeRawPointer) -> Bool {
    switch self {
    case .float, .int32, .uint32, .sint32, .fixed32, .sfixed32, .enum: slot.load(as: UInt32.self) == 0
    case .double, .int64, .uint64, .sint64, .fixed64, .sfixed64, .bool, .string, .bytes, .message:
      slot.load(as: UInt64.self) == 0
    }
  }
}

extension JSONPrinter {
  /// The entries of a map as an object. Of entries with equal keys, which the wire may have, the last one counts.
  mutating func map(
    _ slot: UnsafeRawPointer, _ count: Int, _ member: UnsafePointer<JSONMember>
  ) throws(JSONFault) {
    buffer.byte(UInt8(ascii: "{"))
    if count > 0 {
      let table = member.pointee.table
      let key = UnsafePointer(table.pointee.members)
      let entries = UnsafeBufferPointer(start: slot.load(as: UnsafePointer<UnsafeRawPointer>.self), count: count)
      if options.sortsMapKeys {
        let order = MapKeyOrder(kind: key.pointee.kind, offset: key.pointee.offset)
        try self.entries(entries.sorted(by: order.isBefore), key)
      } else {
        try self.entries(entries, key)
      }
    }
    buffer.byte(UInt8(ascii: "}"))
  }

  @inline(__always)
  private mutating func entries(
    _ entries: some Sequence<UnsafeRawPointer>, _ key: UnsafePointer<JSONMember>
  ) throws(JSONFault) {
    var isFirst = true
    for entry in entries {
      if !isFirst { buffer.byte(UInt8(ascii: ",")) }
      isFirst = false
      mapKey(entry + key.pointee.offset, key.pointee.kind)
      buffer.byte(UInt8(ascii: ":"))
      try value(entry + (key + 1).pointee.offset, key + 1)
    }
  }

  /// A key, which is always a string.
  private mutating func mapKey(_ slot: UnsafeRawPointer, _ kind: FieldKind) {
    if kind == .string { return buffer.string(slot.loadBytes()) }
    buffer.byte(UInt8(ascii: "\""))
    switch kind {
    case .int32, .sint32, .sfixed32: buffer.decimal(Int64(slot.load(as: Int32.self)))
    case .uint32, .fixed32: buffer.decimal(UInt64(slot.load(as: UInt32.self)))
    case .int64, .sint64, .sfixed64: buffer.decimal(slot.load(as: Int64.self))
    case .bool: buffer.raw(slot.load(as: UInt64.self) != 0 ? "true" : "false")
    default: buffer.decimal(slot.load(as: UInt64.self))
    }
    buffer.byte(UInt8(ascii: "\""))
  }
}

extension JSONPrinter {
  /// The extensions that are in a message and in the registry, in the order of their numbers. Other unknown fields have
  /// no JSON form. Returns whether nothing has been printed.
  mutating func extensions(
    _ base: UnsafeRawPointer, _ table: UnsafePointer<JSONTable>, isFirst: Bool
  ) throws(JSONFault) -> Bool {
    let registered = options.registry.extensions(of: table.pointee.name)
    guard !registered.isEmpty else { return isFirst }
    let unknown = UnknownFields(lifting: base)
    var isFirst = isFirst
    for field in registered {
      guard let bytes = unknown.fields(field.number) else { continue }
      let inside: UnsafeRawPointer
      do throws(MessageDecodingError) {
        inside = try field.relower(bytes, arena)
      } catch {
        throw fail(.undecodableExtension(field.name, error), table)
      }
      isFirst = try members(inside, field.descriptor.json, isFirst: isFirst)
    }
    return isFirst
  }
}
