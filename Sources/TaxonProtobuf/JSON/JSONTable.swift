// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What JSON needs to know of a message; made on first use, never freed.
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

  /// The descriptor must be linked.
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

  /// The table for JSON. The descriptor must be linked.
  @inline(__always)
  var json: UnsafePointer<JSONTable> {
    if let address = UnsafePointer<JSONTable>(bitPattern: jsonTable.load(ordering: .acquiring)) { return address }
    return makeJSONTable()
  }

  @inline(never)
  private func makeJSONTable() -> UnsafePointer<JSONTable> {
    Self.tables.table(at: jsonTable) { JSONTable(self) }
  }
}

/// What JSON needs to know of a field. Has no reference counts: it is read for every field of every message.
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

  /// The table of the message in it; for messages and maps only.
  @inline(__always)
  var table: UnsafePointer<JSONTable> {
    message!._withUnsafeGuaranteedRef { $0.json }
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
    let json = field.json ?? (field.name.hasPrefix("[") ? field.name : Field.defaultJSONName(field.name))
    name = Self.makeName(json)
    key = Self.makeKey(json)
    originalKey = Self.makeKey(field.name)
    enumeration = field.type.enumeration?.json
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

  /// By the full name, and only where the fields are the expected ones.
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

/// What JSON needs to know of an enum; made on first use, never freed.
struct JSONEnumTable {
  /// The full name.
  let name: String
  /// Whether it is `google.protobuf.NullValue`, whose value is null.
  let isNull: Bool
  /// Whether only numbers with names are valid.
  let isClosed: Bool
  /// From names to places in `numbers`.
  let names: JSONNames
  let numbers: UnsafeMutablePointer<Int32>
  /// The names with their quotes, sorted by number; of several names of a number the first.
  private let sorted: UnsafeMutablePointer<(number: Int32, text: UnsafeBufferPointer<UInt8>)>
  private let count: Int

  init(_ descriptor: EnumDescriptor) {
    name = descriptor.name
    isClosed = descriptor.isClosed
    isNull = descriptor.name == "google.protobuf.NullValue"
    let values = descriptor.values
    numbers = .allocate(capacity: max(values.count, 1))
    var entries: [JSONNames.Entry] = []
    var texts: [(number: Int32, text: UnsafeBufferPointer<UInt8>)] = []
    for (index, value) in values.enumerated() {
      (numbers + index).initialize(to: value.number)
      var buffer = JSONBuffer(arena: nil)
      value.name.withContiguousUTF8 { buffer.string($0) }
      let text = buffer.keep()
      // The text has its quotes, so there is an address.
      entries.append(JSONNames.Entry(start: text.baseAddress! + 1, count: text.count - 2, index: index))
      if !texts.contains(where: { $0.number == value.number }) { texts.append((value.number, text)) }
    }
    names = JSONNames(entries)
    texts.sort { $0.number < $1.number }
    sorted = .allocate(capacity: max(texts.count, 1))
    sorted.initialize(from: texts, count: texts.count)
    count = texts.count
  }

  /// The number of a name.
  @inline(__always)
  func number(of name: UnsafeBufferPointer<UInt8>) -> Int32? {
    names.index(of: name).map { numbers[$0] }
  }

  /// The name of a number, with quotes.
  @inline(__always)
  func text(of number: Int32) -> UnsafeBufferPointer<UInt8>? {
    // Most enums count from zero without a gap.
    let guess = Int(number)
    if guess >= 0, guess < count, sorted[guess].number == number { return sorted[guess].text }
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle].number == number { return sorted[middle].text }
      if sorted[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return nil
  }
}

extension EnumDescriptor {
  private static let tables = Locked(0)

  /// The table for JSON.
  var json: UnsafePointer<JSONEnumTable> {
    Self.tables.table(at: jsonTable) { JSONEnumTable(self) }
  }
}

extension Locked<Int> {
  /// The table at an address, which is made first where there is none. Counts the tables.
  func table<Table>(at place: borrowing Atomic<UInt>, make: () -> Table) -> UnsafePointer<Table> {
    let address = withLock { made -> UInt in
      let existing = place.load(ordering: .acquiring)
      guard existing == 0 else { return existing }
      made += 1
      let table = UnsafeMutablePointer<Table>.allocate(capacity: 1)
      table.initialize(to: make())
      place.store(UInt(bitPattern: table), ordering: .releasing)
      return UInt(bitPattern: table)
    }
    return UnsafePointer(bitPattern: address)!  // Either way it is the address of a table.
  }
}

/// From names to indices: a hash table in memory that is never freed, as the descriptors it belongs to.
struct JSONNames {
  struct Entry {
    let start: UnsafePointer<UInt8>
    let count: Int
    let index: Int
  }

  private let buckets: UnsafeMutablePointer<Entry?>
  private let mask: Int

  /// Of equal names the first one counts.
  init(_ names: [Entry]) {
    var capacity = 4
    while capacity < 2 * names.count { capacity *= 2 }
    buckets = .allocate(capacity: capacity)
    buckets.initialize(repeating: nil, count: capacity)
    mask = capacity - 1
    for name in names where index(of: UnsafeBufferPointer(start: name.start, count: name.count)) == nil {
      var bucket = Self.hash(name.start, name.count) & mask
      while buckets[bucket] != nil { bucket = (bucket + 1) & mask }
      buckets[bucket] = name
    }
  }

  /// The index that goes with a name; nil for a name that is not in the table.
  @inline(__always)
  func index(of name: UnsafeBufferPointer<UInt8>) -> Int? {
    guard let start = name.baseAddress else { return nil }
    var bucket = Self.hash(start, name.count) & mask
    while let entry = buckets[bucket] {
      if entry.count == name.count, areEqual(entry.start, start, name.count) { return entry.index }
      bucket = (bucket + 1) & mask
    }
    return nil
  }

  /// Of the length, the first eight bytes and the last eight. The names in the table are the schema's, so they cannot
  /// be chosen to collide.
  @inline(__always)
  private static func hash(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int {
    let raw = UnsafeRawPointer(start)
    var first: UInt64 = 0
    var last: UInt64 = 0
    if count >= 8 {
      first = raw.loadUnaligned(as: UInt64.self)
      last = raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    } else if count >= 4 {
      first = UInt64(raw.loadUnaligned(as: UInt32.self))
      last = UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
    } else if count > 0 {
      first = UInt64(start[0]) << 8 | UInt64(start[count / 2])
      last = UInt64(start[count - 1])
    }
    let mixed = (first ^ UInt64(count)) &* 0x9E37_79B9_7F4A_7C15 ^ (last &* 0xC2B2_AE3D_27D4_EB4F)
    return Int(truncatingIfNeeded: (mixed ^ mixed >> 29) &* 0x9E37_79B9_7F4A_7C15 >> 32)
  }
}

/// Whether the bytes are the same; word by word.
@inline(__always)
func areEqual(_ one: UnsafePointer<UInt8>, _ other: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  let one = UnsafeRawPointer(one)
  let other = UnsafeRawPointer(other)
  guard count >= 8 else {
    var index = 0
    while index < count {
      guard one.load(fromByteOffset: index, as: UInt8.self) == other.load(fromByteOffset: index, as: UInt8.self) else {
        return false
      }
      index += 1
    }
    return true
  }
  var offset = 0
  while offset <= count - 8 {
    guard
      one.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        == other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    else { return false }
    offset += 8
  }
  // The last eight bytes, even if some of them were compared already.
  return one.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
    == other.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self)
}

extension String {
  /// The UTF-8 of the string, also where it does not lie in one piece.
  func withContiguousUTF8<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
    return Array(utf8).withUnsafeBufferPointer(body)
  }
}
