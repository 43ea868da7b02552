// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// The types a field's value can have, as a schema spells them.
package enum FieldKind: UInt8, Sendable {
  case double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64
  case bool, string, bytes, `enum`, message

  /// What protobuf-c is told.
  ///
  /// Not always the type's namesake: protobuf-c ends strings at a NUL, takes any wire type for a bool and reads packed
  /// bools of more than one byte wrongly. Bytes and uint64 have the same wire format and none of that.
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

  /// How one value goes over the wire.
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
}
