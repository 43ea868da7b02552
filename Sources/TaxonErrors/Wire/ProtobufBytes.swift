// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Protobuf's wire format, written straight into bytes. For the few messages that go with every error, whose nesting
/// and sizes are known beforehand; all other messages go through TaxonProtobuf's codec.
struct ProtobufBytes: ~Copyable {
  /// Greater field numbers have longer tags, which nothing here needs.
  static let greatestField: UInt32 = 15
  /// Before the name of a detail's message.
  private static let urlPrefix = Array(Google_Protobuf_Any.usualPrefix.utf8)

  private var memory: UnsafeMutableBufferPointer<UInt8>
  private var isOwned: Bool
  private(set) var count = 0

  init(capacity: Int = 64) {
    memory = .allocate(capacity: capacity)
    isOwned = true
  }

  private init(scratch: UnsafeMutableBufferPointer<UInt8>) {
    memory = scratch
    isOwned = false
  }

  deinit {
    if isOwned { memory.deallocate() }
  }

  /// Bytes that take their first KiB of memory from the stack.
  static func withScratch<Result>(_ body: (inout ProtobufBytes) -> Result) -> Result {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1024) { memory in
      var bytes = ProtobufBytes(scratch: memory)
      return body(&bytes)
    }
  }

  var bytes: [UInt8] { Array(UnsafeBufferPointer(rebasing: memory[..<count])) }

  /// Drops everything after this many bytes.
  mutating func cut(to count: Int) {
    precondition(count <= self.count, "only what is there can be given up")
    self.count = count
  }

  /// Makes room for `size` bytes and lets `body` fill all of them.
  mutating func append(_ size: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Void) {
    if memory.count - count < size { grow(to: count + size) }
    guard let start = memory.baseAddress else { return }
    body(start + count)
    count += size
  }

  /// Already encoded fields.
  mutating func append(_ other: [UInt8]) {
    other.withUnsafeBufferPointer { append($0) }
  }

  mutating func raw(_ text: String) {
    var text = text
    text.withUTF8 { append($0) }
  }

  private mutating func append(_ other: UnsafeBufferPointer<UInt8>) {
    guard let source = other.baseAddress else { return }
    append(other.count) { $0.initialize(from: source, count: other.count) }
  }

  private mutating func append(_ byte: UInt8) {
    append(1) { $0.initialize(to: byte) }
  }

  @inline(never)
  private mutating func grow(to size: Int) {
    let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(size, 2 * memory.count))
    _ = larger.initialize(from: memory[..<count])
    if isOwned { memory.deallocate() }
    memory = larger
    isOwned = true
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
    append(field << 3)
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
    if count < 0x80 {
      append(2) { start in
        start[0] = field << 3 | 2
        start[1] = UInt8(truncatingIfNeeded: count)
      }
    } else {
      append(field << 3 | 2)
      varint(UInt64(count))
    }
  }

  /// A detail of a status up to its content, of which `count` bytes are to follow.
  mutating func detail(_ name: String, count: Int) {
    let urlCount = Self.urlPrefix.count + name.utf8.count
    header(3, count: Self.size(payload: urlCount) + Self.size(payload: count))
    header(1, count: urlCount)
    append(Self.urlPrefix)
    raw(name)
    header(2, count: count)
  }

  /// A detail of a status. A message that cannot be encoded, which is one over 2 GiB, is left out.
  mutating func detail<Detail: Message>(_ message: Detail) {
    try? message.withEncoder { encoder in
      detail(Detail.descriptor.name, count: encoder.byteCount)
      append(encoder.byteCount) {
        encoder.pack(into: UnsafeMutableRawBufferPointer(start: $0, count: encoder.byteCount))
      }
    }
  }

  /// A detail of a status as it was given.
  mutating func detail(_ detail: Google_Protobuf_Any) {
    header(3, count: Self.size(detail.typeURL) + (detail.value.isEmpty ? 0 : Self.size(payload: detail.value.count)))
    string(1, detail.typeURL)
    guard !detail.value.isEmpty else { return }
    header(2, count: detail.value.count)
    append(detail.value)
  }

  private mutating func varint(_ value: UInt64) {
    var value = value
    while value > 0x7F {
      append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    append(UInt8(truncatingIfNeeded: value))
  }
}

extension ProtobufBytes {
  /// Bytes of a string's field.
  static func size(_ value: String) -> Int {
    value.isEmpty ? 0 : size(payload: value.utf8.count)
  }

  /// Bytes of a length-delimited field with `count` bytes in it.
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
