// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// Puts fields into the memory of a `HeaderBlock`, which has room for all of them.
package struct HeaderWriter {
  private let fields: UnsafeMutableBufferPointer<nghttp2_nv>
  private(set) var count = 0
  private var bytes: UnsafeMutableBufferPointer<UInt8>
  /// The literal fields, one after the other.
  private(set) var literals = UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)

  init(fields: UnsafeMutableBufferPointer<nghttp2_nv>, bytes: UnsafeMutableBufferPointer<UInt8>) {
    self.fields = fields
    self.bytes = bytes
  }

  /// A field that is the same for all calls.
  package mutating func add(_ name: StaticString, _ value: StaticString) {
    let value = UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount)
    add(name: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), value, isIndexed: true)
  }

  /// A field with a value of `size` bytes, all of which `body` fills.
  package mutating func add(
    _ name: StaticString, size: Int, isIndexed: Bool, _ body: (UnsafeMutablePointer<UInt8>) -> Void
  ) {
    let value = take(size)
    if let start = value.baseAddress { body(start) }
    add(
      name: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount), UnsafeBufferPointer(value),
      isIndexed: isIndexed)
  }

  /// A field with a number from 0 for its value.
  package mutating func add(_ name: StaticString, _ number: Int64, isIndexed: Bool) {
    var size = 1
    var rest = number
    while rest >= 10 { (rest, size) = (rest / 10, size + 1) }
    add(name, size: size, isIndexed: isIndexed) { start in
      var rest = number
      for index in stride(from: size - 1, through: 0, by: -1) {
        start[index] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
      }
    }
  }

  /// What a literal takes at most beside its name and its value.
  package static let literalOverhead = 1 + 2 * 6

  /// A field whose value is not for HPACK's table.
  ///
  /// - Parameters:
  ///   - asLiteral: It is sent as it is, past nghttp2, in the form that leaves no trace in HPACK's tables and has no
  ///     Huffman code (RFC 7541 §6.2.3). That code costs 22 instructions a byte: for the details of an error more than
  ///     all else that is done for it. Only after every field that is no literal.
  ///   - body: Fills all `size` bytes of the value.
  package mutating func add(
    _ name: StaticString, size: Int, asLiteral: Bool, _ body: (UnsafeMutablePointer<UInt8>) -> Void
  ) {
    guard asLiteral else { return add(name, size: size, isIndexed: false, body) }
    let before = bytes
    take(1)[0] = 0x10
    putLength(name.utf8CodeUnitCount)
    _ = copy(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    putLength(size)
    if let start = take(size).baseAddress { body(start) }
    literals = UnsafeMutableBufferPointer(
      start: literals.baseAddress ?? before.baseAddress, count: literals.count + before.count - bytes.count)
  }

  /// The length of a string without Huffman code: an integer with a prefix of seven bits (RFC 7541 §5.1).
  private mutating func putLength(_ length: Int) {
    take(1)[0] = UInt8(min(length, 0x7F))
    guard length >= 0x7F else { return }
    var rest = length - 0x7F
    while rest >= 0x80 {
      take(1)[0] = UInt8(truncatingIfNeeded: rest) | 0x80
      rest >>= 7
    }
    take(1)[0] = UInt8(rest)
  }

  /// Any field.
  package mutating func add(_ field: HeaderBlock.Field) {
    let name = copy(field.name)
    let value =
      switch field.value {
      case .text(let text): copy(text)
      case .bytes(let bytes): bytes.withUnsafeBufferPointer { copy($0) }
      }
    add(name: name, value, isIndexed: field.isIndexed)
  }

  private mutating func add(
    name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>, isIndexed: Bool
  ) {
    var flags = NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue
    if !isIndexed { flags |= NGHTTP2_NV_FLAG_NO_INDEX.rawValue }
    precondition(count < fields.count, "there is room for every field")
    fields.initializeElement(
      at: count,
      to: nghttp2_nv(
        // nghttp2 only reads.
        name: UnsafeMutablePointer(mutating: name.baseAddress),
        value: UnsafeMutablePointer(mutating: value.baseAddress), namelen: name.count, valuelen: value.count,
        flags: UInt8(flags)))
    count += 1
  }

  private mutating func copy(_ text: String) -> UnsafeBufferPointer<UInt8> {
    var text = text
    return text.withUTF8 { copy($0) }
  }

  private mutating func copy(_ source: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    let target = take(source.count)
    if let start = source.baseAddress { target.baseAddress?.initialize(from: start, count: source.count) }
    return UnsafeBufferPointer(target)
  }

  private mutating func take(_ size: Int) -> UnsafeMutableBufferPointer<UInt8> {
    precondition(size <= bytes.count, "there is room for every value")
    defer { bytes = UnsafeMutableBufferPointer(rebasing: bytes[size...]) }
    return UnsafeMutableBufferPointer(rebasing: bytes[..<size])
  }
}
