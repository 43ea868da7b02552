// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// Where a field lies in protobuf-c's struct, and what the scanners need to know of it.
///
/// The struct is protobuf-c's header of 24 bytes and one slot of 24 bytes a field, in the order of the message's table:
/// the value in the first 16 bytes, then the quantifier (presence, number of elements or the case of the oneof).
struct FieldLayout {
  let number: UInt32
  let kind: FieldKind
  let label: FieldType.Label
  /// The index in the message's table.
  let position: Int
  /// The index of the slot; members of a oneof share that of the first.
  let slot: Int
  /// The message in it, once linked. Unretained: descriptors are never freed.
  var message: Unmanaged<MessageDescriptor>?

  /// Offset of the value in the struct.
  var offset: Int { Slot.offset(slot) }

  var isRepeated: Bool { label == .repeated || label == .packed || label == .map }

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
          number: field.number, kind: field.type.kind, label: field.type.label, position: position, slot: slot))
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

  @inlinable
  @inline(__always)
  static func offset(_ index: Int) -> Int { 24 + 24 * index }
}

/// Makes protobuf-c's tables, which protoc-c would generate as C.
enum CTables {
  /// The fields, in the order of their numbers.
  static func fields(_ layout: [FieldLayout]) -> UnsafeMutablePointer<ProtobufCFieldDescriptor> {
    // One more in front: merging messages, protobuf-c 1.4 looks at the field before the first for a oneof that is
    // not set on either side. A zero says int32 there, which it leaves alone.
    // And one behind, so that the pointer is inside the memory also where there is no field: leak checkers ask for that.
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
    // nil where there is none: protobuf-c looks at the first field without asking whether there is one.
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
