// SPDX-License-Identifier: Apache-2.0

/// The type of a field and how often it may be there, as a line in a message's table says it.
public struct FieldType: Sendable {
  package enum Label: UInt8, Sendable {
    /// Singular; the default value is not on the wire.
    case implicit
    /// Singular; there or not there.
    case optional
    /// Singular; must be there.
    case required
    case repeated
    case packed
    case map
    case oneof
  }

  package let kind: FieldKind
  package internal(set) var label = Label.implicit
  var oneof: String?
  package internal(set) var messageType: (any Message.Type)?
  package internal(set) var enumType: (any ProtobufEnum.Type)?
  /// Key and value of a map; empty otherwise. An array because a struct cannot hold itself.
  var entry: [FieldType] = []

  init(_ kind: FieldKind) {
    self.kind = kind
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

  /// A message. A singular one is there or not there, whatever the syntax of its file.
  public static func message(_ type: any Message.Type) -> FieldType {
    var result = FieldType(.message)
    result.label = .optional
    result.messageType = type
    return result
  }

  /// A singular field that is there or not there: a Swift Optional.
  public static func optional(_ type: FieldType) -> FieldType { type.labelled(.optional) }

  /// A field of proto2 that must be there.
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
