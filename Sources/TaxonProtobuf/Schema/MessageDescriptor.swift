// SPDX-License-Identifier: Apache-2.0
import CProtobufC
import Synchronization

/// A message at run time: its full name, its fields, and protobuf-c's tables made from them.
///
/// One is made for every message type, once, and never freed. The tables of the messages inside are linked on first
/// use, so that messages can contain each other.
public final class MessageDescriptor:
  // @unchecked: what is not `let` is written by `link()` alone, under its lock, before `isLinked` is set.
  @unchecked Sendable
{
  /// The full name, such as `octollm.v1.TaskRecord`.
  public let name: String
  /// The table, in its own order.
  public let fields: [Field]
  /// Names that the schema reserves, which the text format skips.
  let reservedNames: [String]

  let isMapEntry: Bool
  /// The table that protobuf-c uses. Its fields are in the order of their numbers.
  let table: UnsafeMutablePointer<ProtobufCMessageDescriptor>
  let cFields: UnsafeMutablePointer<ProtobufCFieldDescriptor>
  /// The table that this module uses, in the same order as `cFields`.
  let layout: UnsafeMutablePointer<FieldLayout>
  /// The indices in `layout` of the required fields.
  let required: [Int]
  /// A message with no field set, for the places where the wire leaves one out.
  let emptyInstance: UnsafeMutableRawPointer
  /// The Swift types of the oneofs, in the order of the table.
  let oneofs: [any Oneof.Type]
  /// What the struct stores behind the fields, if it does.
  let context: (any MessageContext.Type)?
  /// Descriptors of the entries of map fields, by index in `fields`.
  let entries: [Int: MessageDescriptor]

  /// How deep messages can be nested inside this one; Int.max where they can contain themselves.
  @exclusivity(unchecked)
  fileprivate(set) var greatestDepth = 0
  /// Whether this message, or one that it can contain, has a singular field of a closed enum.
  @exclusivity(unchecked)
  fileprivate(set) var hasClosedEnums: Bool
  /// Whether this message, or one that it can contain, has a delimited field, which protobuf-c can neither read nor write.
  @exclusivity(unchecked)
  fileprivate(set) var hasGroups: Bool
  private let isLinked = Atomic<Bool>(false)
  /// The address of the table for JSON, once that is made.
  let jsonTable = Atomic<UInt>(0)
  /// The address of the table for the text format, once that is made.
  let textTable = Atomic<UInt>(0)
  /// The address of the table of the struct, once that is made.
  let structTableAddress = Atomic<UInt>(0)

  /// A message of the schema. Members of a oneof stand next to each other.
  ///
  /// The fields stand in the order in which the struct declares them; behind them come its context, if it has one, and its
  /// unknown fields.
  ///
  /// - Parameters:
  ///   - oneofs: The types of the oneofs, in the order of the table.
  ///   - context: The type of what the struct stores behind the fields.
  ///   - reserved: The names that the schema reserves.
  public convenience init(
    _ name: String, _ fields: [Field], oneofs: [any Oneof.Type] = [], context: (any MessageContext.Type)? = nil,
    reserved: [String] = []
  ) {
    self.init(name, fields, oneofs: oneofs, context: context, reserved: reserved, isMapEntry: false)
  }

  private init(
    _ name: String, _ fields: [Field], oneofs: [any Oneof.Type] = [], context: (any MessageContext.Type)? = nil,
    reserved: [String] = [], isMapEntry: Bool
  ) {
    self.name = name
    self.fields = fields
    self.oneofs = oneofs
    self.context = context
    reservedNames = reserved
    self.isMapEntry = isMapEntry
    var entries: [Int: MessageDescriptor] = [:]
    for (index, field) in fields.enumerated() where field.type.label == .map {
      let entry = [Field("key", 1, field.type.entry[0]), Field("value", 2, field.type.entry[1])]
      entries[index] = MessageDescriptor("\(name).\(field.name)", entry, isMapEntry: true)
    }
    self.entries = entries

    let layout = FieldLayout.layOut(fields)
    self.layout = .allocate(capacity: layout.count)
    self.layout.initialize(from: layout, count: layout.count)
    required = layout.indices.filter { layout[$0].label == .required }
    hasClosedEnums = layout.contains {
      !$0.isRepeated && fields[$0.position].type.enumeration?.isClosed == true
    }
    hasGroups = fields.contains { $0.type.encoding != .lengthPrefixed }
    cFields = CTables.fields(layout)
    table = CTables.message(cFields, layout)
    emptyInstance = .allocate(byteCount: table.pointee.sizeof_message, alignment: 16)
    emptyInstance.initializeMemory(as: UInt8.self, repeating: 0, count: table.pointee.sizeof_message)
    emptyInstance.storeBytes(of: table, as: UnsafeMutablePointer<ProtobufCMessageDescriptor>.self)
    // The way back from protobuf-c's table. Unretained: the tables belong to this object, which is never freed.
    table.pointee.reserved1 = Unmanaged.passUnretained(self).toOpaque()
  }

  /// The number of fields.
  var count: Int { fields.count }

  /// The index in `layout` of the field with this number.
  func index(of number: UInt32) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      let candidate = layout[middle].number
      if candidate == number { return middle }
      if candidate < number { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// The descriptor whose table protobuf-c has left in a message.
  static func of(_ message: UnsafeRawPointer) -> MessageDescriptor {
    let table = message.load(as: UnsafePointer<ProtobufCMessageDescriptor>.self)
    // The initialiser above has set it in every table.
    return Unmanaged.fromOpaque(table.pointee.reserved1!).takeUnretainedValue()
  }
}

extension MessageDescriptor {
  /// Held while descriptors are linked; counts how often that was.
  private static let linkings = Locked(0)

  /// Connects the tables of all messages that this one can contain. Cheap after the first time.
  @inline(__always)
  func link() {
    if !isLinked.load(ordering: .acquiring) { linkFirst() }
  }

  @inline(never)
  private func linkFirst() {
    Self.linkings.withLock { linkings in
      linkings += 1
      var visits = Visits()
      _ = connect(&visits)
      spread(\.hasClosedEnums, visits.done)
      spread(\.hasGroups, visits.done)
      for descriptor in visits.done { descriptor.isLinked.store(true, ordering: .releasing) }
    }
  }

  /// A message that can contain one with closed enums, or with groups, has them too. Messages can contain each other, so
  /// this takes some rounds.
  private func spread(
    _ fact: ReferenceWritableKeyPath<MessageDescriptor, Bool>, _ descriptors: [MessageDescriptor]
  ) {
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      for descriptor in descriptors where !descriptor[keyPath: fact] {
        let inner = (0..<descriptor.count).lazy.compactMap { descriptor.layout[$0].message?.takeUnretainedValue() }
        guard inner.contains(where: { $0[keyPath: fact] }) else { continue }
        descriptor[keyPath: fact] = true
        hasChanged = true
      }
    }
  }

  private struct Visits {
    var begun: Set<ObjectIdentifier> = []
    var ended: Set<ObjectIdentifier> = []
    var done: [MessageDescriptor] = []
  }

  /// Depth first; returns how deep messages can be nested inside this one. A message that has begun and not ended is
  /// part of a cycle.
  private func connect(_ visits: inout Visits) -> Int {
    let identity = ObjectIdentifier(self)
    if isLinked.load(ordering: .relaxed) || visits.ended.contains(identity) { return greatestDepth }
    guard visits.begun.insert(identity).inserted else { return Int.max }
    var depth = 0
    for index in 0..<count where layout[index].kind == .message {
      let position = layout[index].position
      // A message field has a type, a map field an entry: their factories set them.
      let inner = entries[position] ?? fields[position].type.message!
      cFields[index].descriptor = UnsafeRawPointer(inner.table)
      layout[index].message = Unmanaged.passUnretained(inner)
      let innerDepth = inner.connect(&visits)
      depth = max(depth, innerDepth == Int.max ? Int.max : innerDepth + 1)
    }
    greatestDepth = depth
    visits.ended.insert(identity)
    visits.done.append(self)
    return depth
  }
}

/// Where a field lies in protobuf-c's struct, and what the scanners need to know of it.
///
/// The struct is protobuf-c's header of 24 bytes and one slot of 24 bytes a field, in the order of the message's table:
/// the value in the first 16 bytes, then the quantifier (presence, number of elements or the case of the oneof).
struct FieldLayout {
  let number: UInt32
  let kind: FieldKind
  let label: FieldType.Label
  /// How one value goes over the wire.
  let wireType: WireType
  /// The index in the message's table.
  let position: Int
  /// The index of the slot; members of a oneof share that of the first.
  let slot: Int
  /// The message in it, once linked. Unretained: descriptors are never freed.
  var message: Unmanaged<MessageDescriptor>?

  /// Offset of the value in the struct.
  var offset: Int { Slot.offset(slot) }

  var isRepeated: Bool { label == .repeated || label == .packed || label == .map }

  /// Whether values are messages between the tags of a group.
  var isDelimited: Bool { wireType == .startGroup }

  /// The layout of a table, in the order of the numbers.
  static func layOut(_ fields: [Field]) -> [FieldLayout] {
    var slots: [String: Int] = [:]
    var layout: [FieldLayout] = []
    layout.reserveCapacity(fields.count)
    for (position, field) in fields.enumerated() {
      var slot = position
      if let oneof = field.type.oneof {
        slot = slots[oneof] ?? position
        slots[oneof] = slot
      }
      layout.append(
        FieldLayout(
          number: field.number, kind: field.type.kind, label: field.type.label, wireType: field.type.wireType,
          position: position, slot: slot))
    }
    return layout.sorted { $0.number < $1.number }
  }
}

/// The geometry of a slot.
@usableFromInline
enum Slot {
  @usableFromInline static let size = 24
  @usableFromInline static let header = 24
  @usableFromInline static let quantifier = 16
  /// Bytes from one element of a repeated field of bytes to the next.
  static let bytesStride = 16

  @inlinable
  @inline(__always)
  static func offset(_ index: Int) -> Int { 24 + 24 * index }

  /// Sets presence, the number of elements, or the number of the member of a oneof.
  @inline(__always)
  static func set(_ slot: UnsafeMutableRawPointer, _ value: Int) {
    slot.storeBytes(of: value, toByteOffset: quantifier, as: Int.self)
  }

  /// Whether a field with presence is there.
  @inline(__always)
  static func isSet(_ slot: UnsafeRawPointer) -> Bool { slot.load(fromByteOffset: quantifier, as: UInt32.self) != 0 }
}

/// Makes protobuf-c's tables, which protoc-c would generate as C.
enum CTables {
  /// The fields, in the order of their numbers.
  static func fields(_ layout: [FieldLayout]) -> UnsafeMutablePointer<ProtobufCFieldDescriptor> {
    // One more in front: merging messages, protobuf-c 1.4 looks at the field before the first for a oneof that is not
    // set on either side. A zero there means int32, which it ignores. And one behind, so that the pointer is inside the
    // memory even without fields: leak checkers require that.
    let memory = UnsafeMutablePointer<ProtobufCFieldDescriptor>.allocate(capacity: layout.count + 2)
    memory.initialize(repeating: ProtobufCFieldDescriptor(), count: layout.count + 2)
    let fields = memory + 1
    for (index, field) in layout.enumerated() {
      fields[index].id = field.number
      // Presence is always kept: whether a default value is written, and whether one is missing, is decided in Swift.
      fields[index].label = field.isRepeated ? PROTOBUF_C_LABEL_REPEATED : PROTOBUF_C_LABEL_OPTIONAL
      fields[index].type = field.kind.cType
      fields[index].offset = UInt32(field.offset)
      fields[index].quantifier_offset = UInt32(field.offset + Slot.quantifier)
      switch field.label {
      case .packed: fields[index].flags = PROTOBUF_C_FIELD_FLAG_PACKED.rawValue
      case .oneof: fields[index].flags = PROTOBUF_C_FIELD_FLAG_ONEOF.rawValue
      default: break
      }
    }
    return fields
  }

  /// The message.
  static func message(
    _ fields: UnsafeMutablePointer<ProtobufCFieldDescriptor>, _ layout: [FieldLayout]
  ) -> UnsafeMutablePointer<ProtobufCMessageDescriptor> {
    let table = UnsafeMutablePointer<ProtobufCMessageDescriptor>.allocate(capacity: 1)
    table.initialize(to: ProtobufCMessageDescriptor())
    table.pointee.magic = UInt32(PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC)
    table.pointee.sizeof_message = Slot.offset(layout.count)
    table.pointee.n_fields = UInt32(layout.count)
    // nil without fields: protobuf-c reads the first field without checking the count.
    table.pointee.fields = layout.isEmpty ? nil : UnsafePointer(fields)
    let ranges = ranges(layout.map(\.number))
    table.pointee.n_field_ranges = UInt32(ranges.count - 1)
    let memory = UnsafeMutablePointer<ProtobufCIntRange>.allocate(capacity: ranges.count)
    memory.initialize(from: ranges, count: ranges.count)
    table.pointee.field_ranges = UnsafePointer(memory)
    return table
  }

  /// Runs of successive numbers, and one entry more that ends the last run.
  private static func ranges(_ numbers: [UInt32]) -> [ProtobufCIntRange] {
    var ranges: [ProtobufCIntRange] = []
    for (index, number) in numbers.enumerated() where index == 0 || number != numbers[index - 1] + 1 {
      ranges.append(ProtobufCIntRange(start_value: Int32(bitPattern: number), orig_index: UInt32(index)))
    }
    ranges.append(ProtobufCIntRange(start_value: 0, orig_index: UInt32(numbers.count)))
    return ranges
  }
}
