// SPDX-License-Identifier: Apache-2.0
import CProtobufC
import Synchronization

/// How the struct of a message lies in memory, and how each of its stored properties goes to and from protobuf-c's struct.
///
/// Swift lays out the stored properties of a struct in the order of their declaration, each at the next multiple of its
/// alignment (docs/ABI/TypeLayout.rst of the Swift project). What comes out is compared with what the compiler says of
/// the type, whenever a type and its table meet. A handle to what is made on first use and never freed.
struct StructTable {
  struct Content {
    /// Unretained: descriptors are never freed.
    let descriptor: Unmanaged<MessageDescriptor>
    var properties: UnsafeMutablePointer<StoredProperty>
    let count: Int
    /// Where the unknown fields lie: behind all other properties.
    let unknownFields: Int
    /// Size of the struct in bytes.
    let size: Int
    /// Bytes from one struct to the next in an array.
    let stride: Int
    let hasRequired: Bool
    /// A message of protobuf-c's without fields.
    let empty: UnsafeRawPointer
    /// Size of protobuf-c's struct in bytes.
    let cSize: Int
    var cTable: UnsafeRawPointer
    /// Set where the message is a leaf.
    var leaf: LeafTable?
    /// Set where the message contains leaves: the table for a message of protobuf-c's that has them as bytes.
    var leafBytes: StructTable?
  }

  let content: UnsafePointer<Content>
}

/// How a stored property goes to and from a slot.
enum StoredForm: UInt8 {
  // Without presence; numbers by their size.
  case bits32, bits64, bool, string, bytes
  case optionalBits32, optionalBits64, optionalBool, optionalString, optionalBytes
  case int32s, uint32s, floats, int64s, uint64s, doubles, bools, strings, bytesList
  case message, optionalMessage, messages
  /// A required message that can be nil.
  case requiredCycle
  /// Messages that protobuf-c has as bytes (see `LeafTable`).
  case leaf, optionalLeaf, leaves
  /// As `access` has it.
  case other
}

/// A stored property of a message's struct.
struct StoredProperty {
  var form: StoredForm
  /// How floats are compared: not by their bits.
  var isFloat = false
  /// Offset in the struct.
  var offset = 0
  /// Offset in protobuf-c's struct.
  var slot = 0
  /// What is done with the Swift type.
  var access: any PropertyAccess.Type = EmptyAccess.self
  /// The table of the message in it, for the forms of messages.
  var inner: StructTable?
  /// The default value of a field that has one of its own, the representation of nil, or the descriptor of the entries of a
  /// map.
  var constant: UnsafeRawPointer?
}

extension MessageDescriptor {
  private static let structTables = Locked(0)

  /// The table of the struct.
  @inline(__always)
  var structTable: StructTable {
    if let address = UnsafePointer<StructTable.Content>(bitPattern: structTableAddress.load(ordering: .acquiring)) {
      return StructTable(content: address)
    }
    return makeStructTable()
  }

  @inline(never)
  private func makeStructTable() -> StructTable {
    precondition(StringWords.areUnderstood, "Swift's strings have changed; Taxon must be adapted to them")
    link()
    return Self.structTables.withLock { count in
      var maker = StructTableMaker()
      let table = maker.table(of: self)
      count += maker.made.count
      LeafBytesMaker.complete(maker.made.values.map(\.table))
      for (descriptor, table) in maker.made.values {
        descriptor.structTableAddress.store(UInt(bitPattern: table.content), ordering: .releasing)
      }
      return table
    }
  }
}

/// Makes the table of a message and those of all that it can contain.
private struct StructTableMaker {
  var made: [ObjectIdentifier: (descriptor: MessageDescriptor, table: StructTable)] = [:]

  mutating func table(of descriptor: MessageDescriptor) -> StructTable {
    let address = descriptor.structTableAddress.load(ordering: .acquiring)
    if let content = UnsafePointer<StructTable.Content>(bitPattern: address) { return StructTable(content: content) }
    if let made = made[ObjectIdentifier(descriptor)] { return made.table }
    let memory = UnsafeMutablePointer<StructTable.Content>.allocate(capacity: 1)
    let table = StructTable(content: UnsafePointer(memory))
    // Before its fields, which may be of the same type.
    made[ObjectIdentifier(descriptor)] = (descriptor, table)

    var properties: [StoredProperty] = []
    var size = 0
    func add(_ property: StoredProperty, _ layout: (size: Int, alignment: Int)) {
      var property = property
      property.offset = (size + layout.alignment - 1) & ~(layout.alignment - 1)
      size = property.offset + layout.size
      properties.append(property)
    }
    var oneofs = descriptor.oneofs[...]
    var index = 0
    while index < descriptor.count {
      let field = descriptor.fields[index]
      let slot = Slot.offset(index)
      if let oneof = field.type.oneof {
        guard let type = oneofs.popFirst() else { preconditionFailure("\(descriptor.name): no type of \(oneof)") }
        let access = PropertyAccesses.oneof(type)
        add(StoredProperty(form: .other, slot: slot, access: access), access.layout)
        while index < descriptor.count, descriptor.fields[index].type.oneof == oneof { index += 1 }
        continue
      }
      var property = self.property(field.type)
      property.slot = slot
      if let entry = descriptor.entries[index] {
        property.constant = UnsafeRawPointer(Unmanaged.passUnretained(entry).toOpaque())
      }
      // An Optional of a message is as large as the message, whose unknown fields have a pointer, which can say nil.
      add(property, property.access.layout)
      index += 1
    }
    if let context = descriptor.context {
      let access = PropertyAccesses.context(context)
      add(StoredProperty(form: .other, slot: 0, access: access), access.layout)
    }
    let unknownFields = (size + 7) & ~7
    let pointer = UnsafeMutablePointer<StoredProperty>.allocate(capacity: max(properties.count, 1))
    pointer.initialize(from: properties, count: properties.count)
    memory.initialize(
      to: StructTable.Content(
        descriptor: Unmanaged.passUnretained(descriptor), properties: pointer, count: properties.count,
        unknownFields: unknownFields, size: unknownFields + 8, stride: unknownFields + 8,
        hasRequired: !descriptor.required.isEmpty, empty: UnsafeRawPointer(descriptor.emptyInstance),
        cSize: descriptor.table.pointee.sizeof_message, cTable: UnsafeRawPointer(descriptor.table)))
    return table
  }

  private mutating func property(_ type: FieldType) -> StoredProperty {
    if type.label == .map {
      return StoredProperty(
        form: .other, access: PropertyAccesses.map(type.entry[0].swiftType, type.entry[1].swiftType))
    }
    if let message = type.messageType { return property(message, type) }
    if let value = type.defaultValue as? any FieldValue { return PropertyAccesses.withDefault(value) }
    let isOptional = type.label == .optional
    if type.isRepeated {
      return StoredProperty(form: type.kind.listForm, access: PropertyAccesses.array(type.swiftType))
    }
    if let enumType = type.enumType {
      let access = isOptional ? PropertyAccesses.optionalEnum(enumType) : PropertyAccesses.enum(enumType)
      return StoredProperty(form: .other, access: access)
    }
    let access = isOptional ? PropertyAccesses.optional(type.swiftType) : PropertyAccesses.plain(type.swiftType)
    let isFloat = type.kind == .float || type.kind == .double
    return StoredProperty(
      form: isOptional ? type.kind.optionalForm : type.kind.plainForm, isFloat: isFloat, access: access)
  }

  private mutating func property(_ message: any Message.Type, _ type: FieldType) -> StoredProperty {
    switch (type.storage, type.label) {
    case (.indirect, .required):
      return StoredProperty(form: .requiredCycle, access: PropertyAccesses.requiredCycle(message))
    case (.indirect, _): return StoredProperty(form: .other, access: PropertyAccesses.indirect(message))
    case (.boxed, _): return StoredProperty(form: .other, access: PropertyAccesses.boxed(message))
    case (.inline, .repeated), (.inline, .packed):
      var property = StoredProperty(form: .messages, access: PropertyAccesses.messages(message))
      property.inner = table(of: message.descriptor)
      return property
    case (.inline, _): break
    }
    var property = StoredProperty(form: .message, access: PropertyAccesses.message(message))
    property.inner = table(of: message.descriptor)
    if type.label == .optional {
      property.form = .optionalMessage
      property.constant = message.nothing
    }
    return property
  }
}

extension FieldKind {
  fileprivate var plainForm: StoredForm {
    switch self {
    case .float, .int32, .uint32, .sint32, .fixed32, .sfixed32: .bits32
    case .double, .int64, .uint64, .sint64, .fixed64, .sfixed64: .bits64
    case .bool: .bool
    case .string: .string
    case .bytes: .bytes
    case .enum, .message: .other
    }
  }

  fileprivate var optionalForm: StoredForm {
    switch plainForm {
    case .bits32: .optionalBits32
    case .bits64: .optionalBits64
    case .bool: .optionalBool
    case .string: .optionalString
    case .bytes: .optionalBytes
    default: .other
    }
  }

  fileprivate var listForm: StoredForm {
    switch self {
    case .float: .floats
    case .double: .doubles
    case .int32, .sint32, .sfixed32: .int32s
    case .uint32, .fixed32: .uint32s
    case .int64, .sint64, .sfixed64: .int64s
    case .uint64, .fixed64: .uint64s
    case .bool: .bools
    case .string: .strings
    case .bytes: .bytesList
    case .enum, .message: .other
    }
  }
}

extension FieldType {
  fileprivate var isRepeated: Bool { label == .repeated || label == .packed }

  /// The Swift type of one value.
  fileprivate var swiftType: any FieldValue.Type {
    if let messageType { return messageType }
    if let enumType { return enumType }
    return switch kind {
    case .double: Double.self
    case .float: Float.self
    case .int32, .sint32, .sfixed32: Int32.self
    case .int64, .sint64, .sfixed64: Int64.self
    case .uint32, .fixed32: UInt32.self
    case .uint64, .fixed64: UInt64.self
    case .bool: Bool.self
    case .string: String.self
    case .bytes, .enum, .message: [UInt8].self
    }
  }
}

extension FieldType {
  /// A singular field with presence and a default value of its own: a property with `@Default`.
  public static func optional(_ type: FieldType, default value: some FieldValue) -> FieldType {
    var copy = type.labelled(.optional)
    copy.defaultValue = value
    return copy
  }
}
