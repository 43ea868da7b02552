// SPDX-License-Identifier: Apache-2.0

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

  /// By the full name, and only where the fields are the ones that the form is made of.
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
