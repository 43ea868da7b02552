// SPDX-License-Identifier: Apache-2.0

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
