// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What JSON needs to know of a message; made when it is first needed, never freed.
struct JSONTable {
  let descriptor: Unmanaged<MessageDescriptor>
  let form: JSONForm
  /// In the order of the numbers.
  let members: UnsafeMutablePointer<JSONMember>
  let count: Int
  /// From JSON names and names of the schema to members.
  let names: JSONNames
  /// A message with no field set, to be copied.
  let emptyInstance: UnsafeRawPointer
  let instanceSize: Int
  let hasRequired: Bool

  /// Of a descriptor that is linked.
  init(_ descriptor: MessageDescriptor) {
    self.descriptor = Unmanaged.passUnretained(descriptor)
    form = JSONForm(of: descriptor)
    count = descriptor.count
    members = .allocate(capacity: max(count, 1))
    for index in 0..<count {
      (members + index).initialize(to: JSONMember(descriptor.layout[index], of: descriptor))
    }
    var entries: [JSONNames.Entry] = []
    for name in [\JSONMember.name, \JSONMember.originalName] {
      for index in 0..<count {
        let name = members[index][keyPath: name]
        guard let start = name.baseAddress else { continue }
        entries.append(JSONNames.Entry(start: start, count: name.count, index: index))
      }
    }
    names = JSONNames(entries)
    emptyInstance = UnsafeRawPointer(descriptor.emptyInstance)
    instanceSize = Slot.offset(count)
    hasRequired = !descriptor.required.isEmpty
  }

  /// A message with no field set.
  @inline(__always)
  func makeInstance(in arena: MessageArena) -> UnsafeMutableRawPointer {
    let base = arena.allocate(instanceSize)
    base.copyMemory(from: emptyInstance, byteCount: instanceSize)
    return base
  }

  /// The full name of the message.
  var name: String { descriptor._withUnsafeGuaranteedRef { $0.name } }

  /// The name in the schema of one of the members.
  func name(of member: UnsafePointer<JSONMember>) -> String {
    String(decoding: member.pointee.originalName, as: UTF8.self)
  }
}

extension MessageDescriptor {
  /// Held while tables are made, so that none is made twice.
  private static let tables = Locked(0)

  /// What JSON needs to know. The descriptor must be linked.
  @inline(__always)
  var json: UnsafePointer<JSONTable> {
    if let address = UnsafePointer<JSONTable>(bitPattern: jsonTable.load(ordering: .acquiring)) { return address }
    return makeJSONTable()
  }

  @inline(never)
  private func makeJSONTable() -> UnsafePointer<JSONTable> {
    UnsafePointer(
      bitPattern: Self.tables.withLock { (made) -> UInt in
        let existing = jsonTable.load(ordering: .acquiring)
        guard existing == 0 else { return existing }
        made += 1
        let table = UnsafeMutablePointer<JSONTable>.allocate(capacity: 1)
        table.initialize(to: JSONTable(self))
        jsonTable.store(UInt(bitPattern: table), ordering: .releasing)
        return UInt(bitPattern: table)
      })!  // Either way it is the address of a table.
  }
}

extension JSONMember {
  init(_ layout: FieldLayout, of descriptor: MessageDescriptor) {
    let field = descriptor.fields[layout.position]
    number = layout.number
    offset = layout.offset
    kind = layout.kind
    label = layout.label
    // The name of an extension has brackets around it and stays as it is.
    let json = field.json ?? (field.name.hasPrefix("[") ? field.name : Self.defaultName(field.name))
    name = Self.makeName(json)
    key = Self.makeKey(json)
    originalKey = Self.makeKey(field.name)
    enumeration = field.type.enumType?.descriptor.json
    message = layout.message
    let isValue = layout.message?.takeUnretainedValue().name == "google.protobuf.Value"
    acceptsNull = isValue || enumeration?.pointee.isNull == true
  }

  private static func makeName(_ name: String) -> UnsafeBufferPointer<UInt8> {
    var buffer = JSONBuffer(arena: nil)
    name.withContiguousUTF8 { buffer.raw($0) }
    return buffer.keep()
  }

  private static func makeKey(_ name: String) -> UnsafeBufferPointer<UInt8> {
    var buffer = JSONBuffer(arena: nil)
    name.withContiguousUTF8 { buffer.string($0) }
    buffer.byte(UInt8(ascii: ":"))
    return buffer.keep()
  }

  /// As protoc makes it: underscores go, and a small letter behind one becomes a capital.
  static func defaultName(_ name: String) -> String {
    var result: [UInt8] = []
    var isCapital = false
    for letter in name.utf8 {
      if letter == UInt8(ascii: "_") {
        isCapital = true
      } else {
        let isSmall = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter)
        result.append(isCapital && isSmall ? letter - 32 : letter)
        isCapital = false
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}

extension String {
  /// The UTF-8 of the string, also where it does not lie in one piece.
  func withContiguousUTF8<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
    return Array(utf8).withUnsafeBufferPointer(body)
  }
}

/// What JSON needs to know of a field. Without references to count: it is read for every field of every message.
struct JSONMember {
  let number: UInt32
  /// Offset of the slot in the message.
  let offset: Int
  let kind: FieldKind
  let label: FieldType.Label
  /// Whether null is a value, as for `google.protobuf.Value` and `NullValue`, rather than the absence of one.
  let acceptsNull: Bool
  /// The JSON name.
  let name: UnsafeBufferPointer<UInt8>
  /// The JSON name with its quotes, its escapes and the colon: `"taskId":`.
  let key: UnsafeBufferPointer<UInt8>
  /// The name in the schema, in the same way.
  let originalKey: UnsafeBufferPointer<UInt8>
  let enumeration: UnsafePointer<JSONEnumTable>?
  /// The message in it, for maps that of their entries. Unretained: descriptors are never freed.
  let message: Unmanaged<MessageDescriptor>?

  /// The name in the schema, which needs no escapes.
  var originalName: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: originalKey[1..<(originalKey.count - 2)])
  }

  /// The table of the message in it, which there is for messages and maps.
  @inline(__always)
  var table: UnsafePointer<JSONTable> {
    message!._withUnsafeGuaranteedRef { $0.json }
  }
}

/// What a message is in JSON: an object with its fields, or a well-known type's own form.
enum JSONForm {
  case object
  case any
  case timestamp
  case duration
  case fieldMask
  /// `google.protobuf.Struct`, any object.
  case structure
  /// `google.protobuf.Value`, anything.
  case value
  /// `google.protobuf.ListValue`, any array.
  case list
  /// A wrapper: the value of its only field.
  case wrapper
  /// An object without fields; inside of an Any also `"value": {}`, as some implementations write it.
  case empty

  /// By the full name, and only where the fields are the ones that the form is made of.
  init(of descriptor: MessageDescriptor) {
    let prefix = "google.protobuf."
    guard descriptor.name.hasPrefix(prefix), !descriptor.isMapEntry, let fields = Self.shape(descriptor) else {
      self = .object
      return
    }
    switch (String(descriptor.name.dropFirst(prefix.count)), fields) {
    case ("Any", [.string, .bytes]): self = .any
    case ("Timestamp", [.int64, .int32]): self = .timestamp
    case ("Duration", [.int64, .int32]): self = .duration
    case ("FieldMask", [.string]) where descriptor.layout[0].isRepeated: self = .fieldMask
    case ("Struct", [.message]) where descriptor.layout[0].label == .map: self = .structure
    case ("Value", [.enum, .double, .string, .bool, .message, .message]): self = .value
    case ("ListValue", [.message]) where descriptor.layout[0].isRepeated: self = .list
    case ("DoubleValue", [.double]), ("FloatValue", [.float]), ("Int64Value", [.int64]), ("UInt64Value", [.uint64]),
      ("Int32Value", [.int32]), ("UInt32Value", [.uint32]), ("BoolValue", [.bool]), ("StringValue", [.string]),
      ("BytesValue", [.bytes]):
      self = .wrapper
    case ("Empty", []): self = .empty
    default: self = .object
    }
  }

  /// The kinds of the fields 1, 2, 3…; nil where the numbers are others.
  private static func shape(_ descriptor: MessageDescriptor) -> [FieldKind]? {
    var kinds: [FieldKind] = []
    for index in 0..<descriptor.count {
      guard descriptor.layout[index].number == UInt32(index + 1) else { return nil }
      kinds.append(descriptor.layout[index].kind)
    }
    return kinds
  }
}
