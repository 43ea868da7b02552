// SPDX-License-Identifier: Apache-2.0

/// Looks in a header block for a string that is larger than nghttp2 takes. nghttp2 would end the connection with
/// COMPRESSION_ERROR and say nothing of what was wrong.
///
/// Only the lengths are looked at (RFC 7541 §5.1, §5.2, §6), and only in blocks that are large enough to have such a
/// string: they take CONTINUATION, or a frame of more than 64 KiB.
struct BlockScanner {
  /// Bytes of one name or value, as it is sent (nghttp2's NGHTTP2_HD_MAX_NV).
  static let limit = 65_536

  private enum Expectation {
    /// The first byte of a field, or of a change of the table's size.
    case field
    case nameLength
    case valueLength
  }

  /// What an integer that goes on in further bytes is for.
  private enum Purpose { case index, nameIndex(isNew: Bool), nameLength, valueLength }

  private var expectation = Expectation.field
  private var integer: (purpose: Purpose, value: Int, shift: Int)?
  /// Bytes of a string that are still to come.
  private var skipped = 0

  /// Looks at the next piece of the block.
  ///
  /// - Returns: The size of a string that is too large; nil: there is none so far.
  mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var position = 0
    while position < bytes.count {
      if skipped > 0 {
        let count = min(skipped, bytes.count - position)
        skipped -= count
        position += count
        continue
      }
      if let size = take(bytes[position]) { return size }
      position += 1
    }
    return nil
  }

  private mutating func take(_ byte: UInt8) -> Int? {
    if let (purpose, value, shift) = integer {
      // nghttp2 finds larger integers.
      guard shift <= 28 else { return nil }
      let sum = value + Int(byte & 0x7f) << shift
      integer = byte & 0x80 == 0 ? nil : (purpose, sum, shift + 7)
      return integer == nil ? finish(purpose, sum) : nil
    }
    switch expectation {
    case .field where byte & 0x80 != 0: return begin(.index, byte, prefix: 0x7f)
    case .field where byte & 0x40 != 0: return begin(.nameIndex(isNew: byte & 0x3f == 0), byte, prefix: 0x3f)
    case .field where byte & 0x20 != 0: return begin(.index, byte, prefix: 0x1f)
    case .field: return begin(.nameIndex(isNew: byte & 0x0f == 0), byte, prefix: 0x0f)
    case .nameLength: return begin(.nameLength, byte, prefix: 0x7f)
    case .valueLength: return begin(.valueLength, byte, prefix: 0x7f)
    }
  }

  private mutating func begin(_ purpose: Purpose, _ byte: UInt8, prefix: UInt8) -> Int? {
    let value = Int(byte & prefix)
    guard value == Int(prefix) else { return finish(purpose, value) }
    integer = (purpose, value, 0)
    return nil
  }

  private mutating func finish(_ purpose: Purpose, _ value: Int) -> Int? {
    switch purpose {
    case .index: expectation = .field
    case .nameIndex(let isNew): expectation = isNew ? .nameLength : .valueLength
    case .nameLength: (expectation, skipped) = (.valueLength, value)
    case .valueLength: (expectation, skipped) = (.field, value)
    }
    return skipped > Self.limit ? skipped : nil
  }
}
