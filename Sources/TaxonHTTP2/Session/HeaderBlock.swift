// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// Header fields in the form in which nghttp2 takes them, with their bytes, which stay where they are while the block
/// lives: nghttp2 need not copy them.
public final class HeaderBlock: Sendable {
  // Written in init alone, and the memory is the block's own: safe to read from any thread.
  nonisolated(unsafe) private let bytes: UnsafeMutablePointer<UInt8>
  nonisolated(unsafe) let fields: UnsafeMutableBufferPointer<nghttp2_nv>
  /// Has the bytes of the first fields.
  private let head: HeaderBlock?

  /// A field and whether HPACK may keep it in its table; secrets and ever-changing values should not be kept.
  public struct Field {
    enum Value {
      case text(String)
      case bytes([UInt8])
    }

    let name: String
    let value: Value
    let isIndexed: Bool

    /// A field; the name in lower case.
    public init(_ name: String, _ value: String, isIndexed: Bool = true) {
      self.name = name
      self.value = .text(value)
      self.isIndexed = isIndexed
    }

    /// A field; the name in lower case.
    public init(_ name: String, _ value: [UInt8], isIndexed: Bool = true) {
      self.name = name
      self.value = .bytes(value)
      self.isIndexed = isIndexed
    }

    var valueCount: Int {
      switch value {
      case .text(let text): text.utf8.count
      case .bytes(let bytes): bytes.count
      }
    }
  }

  /// A block of the fields, in their order, after those of another block, which are not copied.
  public init(_ list: [Field], after head: HeaderBlock? = nil) {
    self.head = head
    let known = head?.fields.count ?? 0
    var size = 0
    for field in list { size += field.name.utf8.count + field.valueCount }
    bytes = .allocate(capacity: max(size, 1))
    fields = .allocate(capacity: known + list.count)
    if let head { _ = fields.initialize(from: head.fields) }
    var end = bytes
    func copy(_ source: UnsafeBufferPointer<UInt8>) {
      if let start = source.baseAddress { end.initialize(from: start, count: source.count) }
      end += source.count
    }
    func copy(_ text: String) {
      var text = text
      text.withUTF8(copy)
    }
    for (index, field) in list.enumerated() {
      let name = end
      copy(field.name)
      let value = end
      switch field.value {
      case .text(let text): copy(text)
      case .bytes(let bytes): bytes.withUnsafeBufferPointer(copy)
      }
      var flags = NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue
      if !field.isIndexed { flags |= NGHTTP2_NV_FLAG_NO_INDEX.rawValue }
      fields.initializeElement(
        at: known + index,
        to: nghttp2_nv(name: name, value: value, namelen: value - name, valuelen: end - value, flags: UInt8(flags)))
    }
  }

  deinit {
    bytes.deallocate()
    fields.deallocate()
  }
}

extension HeaderBlock.Field {
  /// The fields that carry metadata.
  public static func fields(of metadata: Metadata) -> [HeaderBlock.Field] {
    if metadata.isEmpty { return [] }
    return metadata.sendable.map { entry in
      switch entry.value {
      case .text(let text): HeaderBlock.Field(entry.name, text, isIndexed: false)
      case .bytes(let bytes): HeaderBlock.Field(entry.name, Base64.encode(bytes), isIndexed: false)
      }
    }
  }
}
