// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import TaxonProtobuf

/// Header fields in the form in which nghttp2 takes them, with their bytes, which stay where they are while the block
/// lives: nghttp2 need not copy them.
package final class HeaderBlock: Sendable {
  // Written in init alone, and the memory is the block's own: safe to read from any thread. The fields, and after them
  // their bytes.
  nonisolated(unsafe) private let memory: UnsafeMutableRawPointer
  nonisolated(unsafe) let fields: UnsafeMutableBufferPointer<nghttp2_nv>
  /// Fields that nghttp2 does not see: encoded already, to be sent at the end of the block. Only in a block that ends a
  /// stream and fits one frame.
  nonisolated(unsafe) let literals: UnsafeRawBufferPointer
  /// Has the bytes of the first fields.
  private let head: HeaderBlock?
  /// What nghttp2 takes the block for when it looks whether it is too large to be sent: at least its bytes and 12 more a
  /// field. Static fields of a server's are not counted.
  package let sizeBound: Int
  /// The largest bound that nghttp2 sends (its max_send_header_block_length).
  package static let maxSize = 65_536

  /// A field and whether HPACK may keep it in its table; secrets and ever-changing values should not be kept.
  package struct Field {
    enum Value {
      case text(String)
      case bytes([UInt8])
    }

    /// In lower case.
    package let name: String
    let value: Value
    let isIndexed: Bool

    /// The value.
    package var bytes: [UInt8] {
      switch value {
      case .text(let text): Array(text.utf8)
      case .bytes(let bytes): bytes
      }
    }

    /// A field; the name in lower case.
    package init(_ name: String, _ value: String, isIndexed: Bool = true) {
      self.name = name
      self.value = .text(value)
      self.isIndexed = isIndexed
    }

    /// A field; the name in lower case.
    package init(_ name: String, _ value: [UInt8], isIndexed: Bool = true) {
      self.name = name
      self.value = .bytes(value)
      self.isIndexed = isIndexed
    }

    /// Bytes of all names and values.
    package static func byteCount(_ list: [Field]) -> Int {
      var count = 0
      for field in list {
        count += field.name.utf8.count
        switch field.value {
        case .text(let text): count += text.utf8.count
        case .bytes(let bytes): count += bytes.count
        }
      }
      return count
    }
  }

  /// A block of the fields, in their order, after those of another block, which are not copied.
  package convenience init(_ list: [Field], after head: HeaderBlock? = nil) {
    self.init(fieldCount: list.count, byteCount: Field.byteCount(list), after: head) { writer in
      for field in list { writer.add(field) }
    }
  }

  /// A block of what `write` adds after those of another block: so many fields at most, with so many bytes at most,
  /// static ones not counted, `HeaderWriter.literalOverhead` for each literal.
  package init(fieldCount: Int, byteCount: Int, after head: HeaderBlock? = nil, _ write: (inout HeaderWriter) -> Void) {
    self.head = head
    sizeBound = (head?.sizeBound ?? 12) + byteCount + 12 * fieldCount
    let known = head?.fields.count ?? 0
    let capacity = known + fieldCount
    let stride = MemoryLayout<nghttp2_nv>.stride * capacity
    // Not allocate(), for which Swift calls posix_memalign: three times as dear.
    guard let memory = malloc(stride + byteCount) else { fatalError("the system has no memory for a header block") }
    self.memory = memory
    let space = UnsafeMutableBufferPointer(
      start: memory.bindMemory(to: nghttp2_nv.self, capacity: capacity), count: capacity)
    let bytes = UnsafeMutableBufferPointer(
      start: (memory + stride).bindMemory(to: UInt8.self, capacity: byteCount), count: byteCount)
    if let head { _ = space.initialize(from: head.fields) }
    var writer = HeaderWriter(fields: UnsafeMutableBufferPointer(rebasing: space[known...]), bytes: bytes)
    write(&writer)
    fields = UnsafeMutableBufferPointer(rebasing: space[..<(known + writer.count)])
    literals = UnsafeRawBufferPointer(writer.literals)
  }

  deinit { free(memory) }
}

extension HeaderBlock {
  /// Whether so many fields with so many bytes, static ones of 64 bytes apart, are sure to be one frame, whatever the peer's
  /// SETTINGS say (RFC 9113 §4.2). Nothing can be put behind a block that goes on in CONTINUATION.
  package static func fitsFrame(fieldCount: Int, byteCount: Int) -> Bool {
    byteCount + fieldCount * (64 + HeaderWriter.literalOverhead) <= 16_384
  }
}

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
  ///     all else that is done for it. Only after every field that is not a literal.
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
