// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

extension DeclaredError {
  /// The error with every field set to something that makes sense for its name and type: `task_id` is "task-42", `retry_after` is 30
  /// seconds, a list has two elements. Always the same. Of a oneof the first member is set; messages are filled four levels deep.
  ///
  /// Fields that are INTERNAL or PERSONAL are set, too: they go, or do not go, where a real error's would.
  public static var sample: Self {
    var bytes = SampleBytes()
    bytes.append(fieldsOf: descriptor, depth: 0)
    do {
      return try Self(decoding: bytes.bytes)
    } catch {
      // What the descriptor says can be written can be read: else the two disagree, and no error can be decoded.
      preconditionFailure("the sample of \(descriptor.name) cannot be decoded: \(error)")
    }
  }
}

extension ErrorUnion {
  /// A sample of each error in it, in the order of the schema.
  public static var samples: [Self] {
    members.map { member in
      let sample: any DeclaredError = member.sample
      return Self(sample) ?? other(RPCError(sample))
    }
  }
}

/// A message in the binary format, made up from its descriptor.
struct SampleBytes {
  private(set) var bytes: [UInt8] = []
  /// Messages in messages beyond this are left out.
  private static let maxDepth = 4

  mutating func append(fieldsOf descriptor: MessageDescriptor, depth: Int) {
    if let known = Self.wellKnown(descriptor.name) {
      bytes += known
      return
    }
    var oneofs: Set<String> = []
    for field in descriptor.fields {
      // Members of a oneof stand for each other.
      if let oneof = field.type.oneof, !oneofs.insert(oneof).inserted { continue }
      switch field.type.label {
      case .repeated, .packed:
        for index in 0..<2 { append(field, field.type, name: Self.singular(field.name), index: index, depth: depth) }
      case .map:
        guard field.type.entry.count == 2 else { break }
        var entry = SampleBytes()
        entry.append(Field("key", 1, field.type.entry[0]), field.type.entry[0], name: "key", index: 0, depth: depth + 1)
        entry.append(
          Field("value", 2, field.type.entry[1]), field.type.entry[1], name: Self.singular(field.name), index: 0,
          depth: depth + 1)
        append(field.number, entry.bytes)
      case .implicit, .optional, .required, .oneof:
        append(field, field.type, name: field.name, index: 0, depth: depth)
      }
    }
  }

  private mutating func append(_ field: Field, _ type: FieldType, name: String, index: Int, depth: Int) {
    let number = SampleValues.number(name) + Int64(index)
    switch type.kind {
    case .int32, .int64, .uint32, .uint64: append(field.number, varint: UInt64(number))
    case .sint32, .sint64: append(field.number, varint: UInt64(number) << 1)
    case .bool: append(field.number, varint: 1)
    case .enum: append(field.number, varint: UInt64(bitPattern: Int64(Self.value(of: type.enumType, index))))
    case .fixed32, .sfixed32: append(field.number, fixed: UInt32(number))
    case .fixed64, .sfixed64: append(field.number, fixed: UInt64(number))
    case .float: append(field.number, fixed: (Float(number) / 2).bitPattern)
    case .double: append(field.number, fixed: (Double(number) / 2).bitPattern)
    case .string: append(field.number, Array(SampleValues.text(name, index).utf8))
    case .bytes: append(field.number, Array("sample".utf8))
    case .message:
      // Required ones are messages that cannot be without; proto2 does not let them contain themselves.
      guard let message = type.messageType, depth < Self.maxDepth || type.label == .required else { return }
      var inner = SampleBytes()
      inner.append(fieldsOf: message.descriptor, depth: depth + 1)
      append(field.number, inner.bytes)
    }
  }

  private static func wellKnown(_ name: String) -> [UInt8]? {
    switch name {
    // 2026-01-01T00:00:00Z
    case "google.protobuf.Timestamp": [0x08, 0x80, 0xE5, 0xD6, 0xCA, 0x06]
    case "google.protobuf.Duration": [0x08, 30]
    // What they hold is nobody's guess.
    case "google.protobuf.Any", "google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue": []
    default: nil
    }
  }

  /// The first value that says something, and for a second element the one behind it.
  private static func value(of type: (any ProtobufEnum.Type)?, _ index: Int) -> Int32 {
    let numbers = (type?.descriptor.values ?? []).map(\.number).filter { $0 != 0 }
    return numbers.isEmpty ? 0 : numbers[index % numbers.count]
  }

  private static func singular(_ name: String) -> String {
    if name.hasSuffix("ies") { return name.dropLast(3) + "y" }
    return name.hasSuffix("s") && !name.hasSuffix("ss") ? String(name.dropLast()) : name
  }

  // MARK: The binary format

  private mutating func append(varint value: UInt64) {
    var value = value
    while value > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  private mutating func append(_ number: UInt32, varint value: UInt64) {
    append(varint: UInt64(number) << 3)
    append(varint: value)
  }

  private mutating func append<Value: FixedWidthInteger>(_ number: UInt32, fixed value: Value) {
    append(varint: UInt64(number) << 3 | (Value.bitWidth == 64 ? 1 : 5))
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }

  private mutating func append(_ number: UInt32, _ value: [UInt8]) {
    append(varint: UInt64(number) << 3 | 2)
    append(varint: UInt64(value.count))
    bytes += value
  }
}
