// SPDX-License-Identifier: Apache-2.0

/// A message that contains no other one, such as a Timestamp: it is read from the wire right into its struct, and written
/// from it, where protobuf-c's message would only be passed through.
///
/// All of its fields are numbers, strings, bytes, enums or packed numbers. Input that is malformed, or that protobuf reads
/// in an unusual way, is left to protobuf-c and the checks around it: `read` says that it has not read it.
struct LeafTable {
  struct Content {
    /// In the order of their numbers.
    let fields: UnsafeMutablePointer<LeafField>
    let count: Int
    /// By a tag of one byte, the place in `fields` and one; zero for none.
    let places: UnsafeMutablePointer<UInt8>
    /// A struct with no field set. Nothing in it is counted, so a copy of the bytes is a copy.
    let image: UnsafeRawPointer
    /// The table of the struct.
    let table: StructTable
    let size: Int
    let unknownFields: Int
  }

  let content: UnsafePointer<Content>

  /// The most fields of a leaf, and of a message whose leaves protobuf-c hands on as bytes. Of more than this, protobuf-c
  /// keeps a set of those that it has seen.
  static let fieldLimit = 128
  /// The largest number of a field whose tag has two bytes.
  static let greatestNumber: UInt32 = 2047
}

/// A field of a leaf.
struct LeafField {
  let number: UInt32
  /// `other` for an enum, which `access` reads and writes.
  let form: StoredForm
  let wire: LeafWire
  /// The tag as it is written, in the low bytes.
  let tag: UInt16
  let tagSize: Int
  /// Offset in the struct.
  let offset: Int
  let access: any PropertyAccess.Type

  /// The tag as a number.
  var wireType: WireType {
    switch form {
    case .int32s, .uint32s, .floats, .int64s, .uint64s, .doubles, .bools: .lengthDelimited
    default: wire.wireType
    }
  }
}

/// How one value of a leaf goes over the wire.
enum LeafWire: UInt8 {
  /// A varint of the value's own bits.
  case varint
  /// A varint of a number of 32 bits, extended by its sign.
  case signed32
  case zigzag32, zigzag64, fixed32, fixed64
  case bytes

  init(_ kind: FieldKind) {
    self =
      switch kind {
      case .int32, .enum: .signed32
      case .uint32, .int64, .uint64, .bool: .varint
      case .sint32: .zigzag32
      case .sint64: .zigzag64
      case .float, .fixed32, .sfixed32: .fixed32
      case .double, .fixed64, .sfixed64: .fixed64
      case .string, .bytes, .message: .bytes
      }
  }

  var wireType: WireType {
    switch self {
    case .varint, .signed32, .zigzag32, .zigzag64: .varint
    case .fixed32: .fixed32
    case .fixed64: .fixed64
    case .bytes: .lengthDelimited
    }
  }
}

extension MessageDescriptor {
  /// Whether a message of this type is a leaf.
  fileprivate var isLeaf: Bool {
    guard context == nil, oneofs.isEmpty, required.isEmpty, count <= LeafTable.fieldLimit else { return false }
    return fields.allSatisfy { $0.number <= LeafTable.greatestNumber && $0.type.isOfLeaf }
  }
}

extension FieldType {
  fileprivate var isOfLeaf: Bool {
    switch label {
    case .implicit, .optional: kind != .message && defaultValue == nil && dynamicEnum == nil
    case .packed: kind != .enum
    case .required, .repeated, .map, .oneof: false
    }
  }
}

extension LeafTable {
  /// The table of a message; nil when it is no leaf.
  init?(_ descriptor: MessageDescriptor, _ table: StructTable) {
    guard descriptor.isLeaf else { return nil }
    let count = descriptor.count
    let fields = UnsafeMutablePointer<LeafField>.allocate(capacity: max(count, 1))
    let places = UnsafeMutablePointer<UInt8>.allocate(capacity: 128)
    places.initialize(repeating: 0, count: 128)
    for index in 0..<count {
      let layout = descriptor.layout[index]
      let property = table.content.pointee.properties[layout.position]
      let wire = LeafWire(layout.kind)
      let isPacked = layout.label == .packed
      let tag = layout.number << 3 | UInt32((isPacked ? .lengthDelimited : wire.wireType).rawValue)
      let tagBytes = tag < 128 ? tag : tag & 0x7F | 0x80 | (tag >> 7) << 8
      (fields + index).initialize(
        to: LeafField(
          number: layout.number, form: property.form, wire: wire, tag: UInt16(tagBytes), tagSize: tag < 128 ? 1 : 2,
          offset: property.offset, access: property.access))
      if tag < 128 { places[Int(tag)] = UInt8(index + 1) }
    }
    let content = UnsafeMutablePointer<Content>.allocate(capacity: 1)
    content.initialize(
      to: Content(
        fields: fields, count: count, places: places, image: table.makeImage(), table: table,
        size: table.content.pointee.size, unknownFields: table.content.pointee.unknownFields))
    self.init(content: UnsafePointer(content))
  }
}

extension StructTable {
  /// A struct with no field set; never freed.
  fileprivate func makeImage() -> UnsafeRawPointer {
    let image = UnsafeMutableRawPointer.allocate(byteCount: content.pointee.stride, alignment: 16)
    image.initializeMemory(as: UInt8.self, repeating: 0, count: content.pointee.stride)
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    do throws(MessageDecodingError) {
      try lift(content.pointee.empty, to: image, arena)
    } catch {
      // Nothing is there that could be wrong, and a leaf has no required fields.
      preconditionFailure("\(content.pointee.descriptor.takeUnretainedValue().name): \(error)")
    }
    return UnsafeRawPointer(image)
  }
}
