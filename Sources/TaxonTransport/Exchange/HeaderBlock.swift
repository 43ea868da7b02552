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

    let name: String
    let value: Value
    let isIndexed: Bool

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
