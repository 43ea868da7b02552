// SPDX-License-Identifier: Apache-2.0

/// Protobuf's wire format, written straight into bytes. For the few messages that go with every error, whose nesting
/// and sizes are known beforehand; all other messages go through TaxonProtobuf's codec.
struct ProtobufBytes {
  /// Greater field numbers have longer tags, which nothing here needs.
  static let greatestField: UInt32 = 15

  private(set) var bytes: [UInt8] = []

  var count: Int { bytes.count }

  mutating func reserve(_ count: Int) {
    bytes.reserveCapacity(count)
  }

  /// Gives up everything after this many bytes.
  mutating func cut(to count: Int) {
    bytes.removeLast(bytes.count - count)
  }

  /// Already encoded fields.
  mutating func append(_ other: [UInt8]) {
    bytes.append(contentsOf: other)
  }

  mutating func raw(_ text: String) {
    var text = text
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  /// A number's field; left out for 0.
  mutating func number(_ field: UInt8, _ value: Int32) {
    if value != 0 { varint(field, UInt64(bitPattern: Int64(value))) }
  }

  /// A number's field; left out for 0.
  mutating func number(_ field: UInt8, _ value: Int64) {
    if value != 0 { varint(field, UInt64(bitPattern: value)) }
  }

  /// A number's field, whatever the number.
  mutating func varint(_ field: UInt8, _ value: UInt64) {
    bytes.append(field << 3)
    varint(value)
  }

  /// A string's field; left out for an empty one.
  mutating func string(_ field: UInt8, _ value: String) {
    guard !value.isEmpty else { return }
    header(field, count: value.utf8.count)
    raw(value)
  }

  /// Tag and length of a field, of which `count` bytes are to follow.
  mutating func header(_ field: UInt8, count: Int) {
    bytes.append(field << 3 | 2)
    if count < 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: count))
    } else {
      varint(UInt64(count))
    }
  }

  /// A detail of a status up to its content, of which `count` bytes are to follow.
  mutating func detail(_ name: String, count: Int) {
    let urlCount = TypeURL.prefixBytes.count + name.utf8.count
    header(3, count: Self.size(payload: urlCount) + Self.size(payload: count))
    header(1, count: urlCount)
    append(TypeURL.prefixBytes)
    raw(name)
    header(2, count: count)
  }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: value))
  }
}

extension ProtobufBytes {
  /// Bytes of a string's field.
  static func size(_ value: String) -> Int {
    value.isEmpty ? 0 : size(payload: value.utf8.count)
  }

  /// Bytes of a length-delimited field with so many bytes in it.
  static func size(payload count: Int) -> Int {
    1 + varintSize(UInt64(count)) + count
  }

  /// Bytes of a number's field.
  static func size(_ number: Int64) -> Int {
    number == 0 ? 0 : 1 + varintSize(UInt64(bitPattern: number))
  }

  private static func varintSize(_ value: UInt64) -> Int {
    var value = value
    var size = 1
    while value > 0x7F {
      value >>= 7
      size += 1
    }
    return size
  }
}
