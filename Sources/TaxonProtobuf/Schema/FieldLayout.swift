// SPDX-License-Identifier: Apache-2.0

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
