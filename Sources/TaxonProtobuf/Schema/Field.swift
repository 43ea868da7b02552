// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// A line in a message's table: one field.
public struct Field: Sendable {
  /// The name in the schema.
  public let name: String
  /// The number on the wire, 1 to 2^29 − 1.
  public let number: UInt32
  /// What the field holds.
  public let type: FieldType
  /// The name in JSON, where the schema sets one by hand.
  public let json: String?

  /// A field of the schema.
  public init(_ name: String, _ number: UInt32, _ type: FieldType, json: String? = nil) {
    self.name = name
    self.number = number
    self.type = type
    self.json = json
  }

  /// The JSON name that protoc makes of a name (ToJsonName of protobuf's descriptor.cc): underscores go, and a small
  /// letter behind one becomes a capital.
  package static func defaultJSONName(_ name: String) -> String {
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

/// The type of a field and how often it may occur, for a message's table.
public struct FieldType: Sendable {
  package enum Label: UInt8, Sendable {
    /// Singular; the default value is not on the wire.
    case implicit
    /// Singular, with presence.
    case optional
    /// Singular; must be set.
    case required
    case repeated
    case packed
    case map
    case oneof
  }

  /// How a message goes over the wire.
  package enum Encoding: UInt8, Sendable {
    case lengthPrefixed
    /// Between the tags of a group.
    case delimited
    /// The same; the text format calls the field by the name of its type.
    case group
  }

  /// Where the struct of a message keeps another one.
  enum Storage: UInt8, Sendable {
    case inline
    /// In a property with `@Indirect`.
    case indirect
    /// In a property with `@Boxed`.
    case boxed
  }

  package let kind: FieldKind
  /// `lengthPrefixed` for what is not a message.
  package internal(set) var encoding = Encoding.lengthPrefixed
  package internal(set) var label = Label.implicit
  package internal(set) var oneof: String?
  package internal(set) var messageType: (any Message.Type)?
  package internal(set) var enumType: (any ProtobufEnum.Type)?
  var storage = Storage.inline
  /// The default value of a property with `@Default`: a FieldValue.
  var defaultValue: (any Sendable)?
  /// The type of a message without Swift.
  var dynamicMessage: DynamicMessageType?
  /// An enum without Swift.
  var dynamicEnum: EnumDescriptor?
  /// Key and value of a map; empty otherwise. An array because a struct cannot hold itself.
  package internal(set) var entry: [FieldType] = []

  init(_ kind: FieldKind) {
    self.kind = kind
  }

  /// How one value goes over the wire.
  var wireType: WireType { encoding == .lengthPrefixed ? kind.wireType : .startGroup }

  func encoded(_ encoding: Encoding) -> FieldType {
    var copy = self
    copy.encoding = encoding
    return copy
  }

  func labelled(_ label: Label) -> FieldType {
    var copy = self
    copy.label = label
    return copy
  }

  /// `double`, a Swift Double.
  public static let double = FieldType(.double)
  /// `float`, a Swift Float.
  public static let float = FieldType(.float)
  /// `int32`: a varint, ten bytes long for negative values.
  public static let int32 = FieldType(.int32)
  /// `int64`: a varint, ten bytes long for negative values.
  public static let int64 = FieldType(.int64)
  /// `uint32`: a varint.
  public static let uint32 = FieldType(.uint32)
  /// `uint64`: a varint.
  public static let uint64 = FieldType(.uint64)
  /// `sint32`: a zigzag varint.
  public static let sint32 = FieldType(.sint32)
  /// `sint64`: a zigzag varint.
  public static let sint64 = FieldType(.sint64)
  /// `fixed32`: four bytes, a Swift UInt32.
  public static let fixed32 = FieldType(.fixed32)
  /// `fixed64`: eight bytes, a Swift UInt64.
  public static let fixed64 = FieldType(.fixed64)
  /// `sfixed32`: four bytes, a Swift Int32.
  public static let sfixed32 = FieldType(.sfixed32)
  /// `sfixed64`: eight bytes, a Swift Int64.
  public static let sfixed64 = FieldType(.sfixed64)
  /// `bool`.
  public static let bool = FieldType(.bool)
  /// `string`: UTF-8, which decoding checks.
  public static let string = FieldType(.string)
  /// `bytes`, a Swift `[UInt8]`.
  public static let bytes = FieldType(.bytes)

  /// An enum.
  public static func `enum`(_ type: any ProtobufEnum.Type) -> FieldType {
    var result = FieldType(.enum)
    result.enumType = type
    return result
  }

  /// A message. A singular one has presence, whatever the syntax of its file.
  public static func message(_ type: any Message.Type) -> FieldType {
    var result = FieldType(.message)
    result.label = .optional
    result.messageType = type
    return result
  }

  /// A message between the tags of a group, as `features.message_encoding = DELIMITED` has it.
  public static func delimited(_ type: any Message.Type) -> FieldType { message(type).encoded(.delimited) }

  /// A group of proto2, and in editions a delimited message whose type is declared in the place of the field and has its
  /// name. The text format calls it by the name of the type.
  public static func group(_ type: any Message.Type) -> FieldType { message(type).encoded(.group) }

  /// A singular field with presence: a Swift Optional.
  public static func optional(_ type: FieldType) -> FieldType { type.labelled(.optional) }

  /// A message in a property with `@Indirect`.
  public static func indirect(_ type: FieldType) -> FieldType {
    var copy = type
    copy.storage = .indirect
    return copy
  }

  /// A required message in a property with `@Boxed`.
  public static func boxed(_ type: FieldType) -> FieldType {
    var copy = type
    copy.storage = .boxed
    return copy
  }

  /// A field of proto2 that must be set, and one of editions with `features.field_presence = LEGACY_REQUIRED`.
  public static func required(_ type: FieldType) -> FieldType { type.labelled(.required) }

  /// Any number of values, each with a tag of its own when written.
  public static func repeated(_ type: FieldType) -> FieldType { type.labelled(.repeated) }

  /// Any number of numbers, written as one length-delimited field.
  public static func packed(_ type: FieldType) -> FieldType { type.labelled(.packed) }

  /// A Swift Dictionary.
  public static func map(_ key: FieldType, _ value: FieldType) -> FieldType {
    var result = FieldType(.message)
    result.label = .map
    result.entry = [key.labelled(.optional), value.labelled(.optional)]
    return result
  }

  /// A member of the oneof `name`. The members of one oneof stand next to each other in the table.
  public static func oneof(_ name: String, _ type: FieldType) -> FieldType {
    var result = type.labelled(.oneof)
    result.oneof = name
    return result
  }
}

/// The types a field's value can have, as a schema spells them.
package enum FieldKind: UInt8, Sendable {
  case double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64
  case bool, string, bytes, `enum`, message

  /// The type that protobuf-c uses.
  ///
  /// Not always the type's namesake: protobuf-c ends strings at a NUL, takes any wire type for a bool and reads packed
  /// bools of more than one byte wrongly. Bytes and uint64 have the same wire format without these faults.
  var cType: ProtobufCType {
    switch self {
    case .double: PROTOBUF_C_TYPE_DOUBLE
    case .float: PROTOBUF_C_TYPE_FLOAT
    case .int32: PROTOBUF_C_TYPE_INT32
    case .int64: PROTOBUF_C_TYPE_INT64
    case .uint32: PROTOBUF_C_TYPE_UINT32
    case .uint64, .bool: PROTOBUF_C_TYPE_UINT64
    case .sint32: PROTOBUF_C_TYPE_SINT32
    case .sint64: PROTOBUF_C_TYPE_SINT64
    case .fixed32: PROTOBUF_C_TYPE_FIXED32
    case .fixed64: PROTOBUF_C_TYPE_FIXED64
    case .sfixed32: PROTOBUF_C_TYPE_SFIXED32
    case .sfixed64: PROTOBUF_C_TYPE_SFIXED64
    case .string, .bytes: PROTOBUF_C_TYPE_BYTES
    case .enum: PROTOBUF_C_TYPE_ENUM
    case .message: PROTOBUF_C_TYPE_MESSAGE
    }
  }

  /// How one value goes over the wire, unless it is a delimited message.
  var wireType: WireType {
    switch self {
    case .double, .fixed64, .sfixed64: .fixed64
    case .float, .fixed32, .sfixed32: .fixed32
    case .int32, .int64, .uint32, .uint64, .sint32, .sint64, .bool, .enum: .varint
    case .string, .bytes, .message: .lengthDelimited
    }
  }

  /// Whether repeated values may share one length-delimited field.
  var isPackable: Bool { wireType != .lengthDelimited }

  /// Bytes from one element of a repeated field to the next in protobuf-c's struct.
  var stride: Int {
    switch self {
    case .float, .int32, .uint32, .sint32, .fixed32, .sfixed32, .enum: 4
    case .double, .int64, .uint64, .sint64, .fixed64, .sfixed64, .bool, .message: 8
    case .string, .bytes: 16
    }
  }
}

/// The low three bits of a tag: how long the value is.
enum WireType: UInt8, Sendable {
  case varint = 0
  case fixed64 = 1
  case lengthDelimited = 2
  case startGroup = 3
  case endGroup = 4
  case fixed32 = 5
}
