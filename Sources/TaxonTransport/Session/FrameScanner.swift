// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// Follows the heads of the peer's frames, to find what nghttp2 lets pass in silence: it forgets streams without
/// priorities (RFC 9113 §5.3.1) as soon as they close, and skips what comes for them without a callback.
///
/// Of each frame only the nine bytes of its head are looked at (§4.1), and of PRIORITY four more.
struct FrameScanner {
  /// What the connection ends for.
  struct Violation: Error {
    let code: HTTP2ErrorCode
    let reason: String
    /// Bytes of this read that come before the frame.
    let offset: Int
    /// What came is no HTTP/2 at all.
    var isOtherProtocol = false
    /// The stream whose header block has a string of so many bytes, more than nghttp2 takes.
    var field: (stream: Int32, size: Int)?
  }

  private let role: HTTP2Session.Role
  private var numbers = StreamNumbers()
  /// Bytes outside of heads: of the preface, or of the content of the latest frame.
  private var rest: Int
  /// The beginning of a head that ended a read, and its size.
  private var beginning: UInt64 = 0
  private var beginningSize = 0
  /// The stream of a PRIORITY frame whose first four bytes are still to come; 0 when there is none.
  private var prioritized: Int32 = 0

  /// A header block has begun and not ended: what is no CONTINUATION is an error there that nghttp2 finds (§4.3).
  private var isInBlock = false

  /// The header block being read, when it is large enough to be looked at, and its stream.
  private var block: (scanner: BlockScanner, stream: Int32)?
  /// The block ends with the frame being read.
  private var isLastOfBlock = false
  /// The length of the padding is still to come.
  private var isPadded = false
  /// Bytes before the block in its first frame: of a priority.
  private var beforeBlock = 0
  /// Bytes behind the block in its first frame.
  private var padding = 0
  private var isFirst = true

  private static let headSize = 9
  private static let prefaceSize = 24

  init(role: HTTP2Session.Role) {
    self.role = role
    rest = role == .server ? Self.prefaceSize : 0
  }

  /// Looks at bytes in the order in which they come.
  mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(Violation) {
    if isFirst, role == .client { try refuseAlert(bytes) }
    var position = 0
    while bytes.count - position > rest {
      if block != nil { try scanBlock(bytes, position, rest) }
      position += rest
      rest = 0
      if beginningSize > 0 || prioritized != 0 || bytes.count - position < Self.headSize {
        try collect(bytes, &position)
      } else {
        let head = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        try take(head, bytes[position + Self.headSize - 1], offset: position)
        position += Self.headSize
      }
    }
    if block != nil { try scanBlock(bytes, position, bytes.count - position) }
    rest -= bytes.count - position
  }

  /// A server of TLS answers with an alert, which is shorter than the head of a frame. As the length of a frame, what it
  /// begins with is more than any session allows.
  private func refuseAlert(_ bytes: UnsafeRawBufferPointer) throws(Violation) {
    // In any version of TLS.
    guard bytes.count > 2, bytes[0] == 0x15, bytes[1] == 3 else { return }
    throw Violation(
      code: .protocolError,
      reason: "it answers TLS, and the channel is set to speak without (Channel.Configuration.tls)",
      offset: 0, isOtherProtocol: true)
  }

  /// Looks at `count` bytes of a frame of the block, of which `rest` are still to come.
  private mutating func scanBlock(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ count: Int) throws(Violation) {
    var (position, end) = (start, start + count)
    if isPadded, position < end {
      isPadded = false
      padding = Int(bytes[position])
      position += 1
    }
    let skipped = min(beforeBlock, end - position)
    beforeBlock -= skipped
    position += skipped
    // What is behind the block, if that much of the frame is here.
    end = min(end, start + rest - padding)
    guard position < end, let stream = block?.stream,
      let size = block?.scanner.scan(UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
    else { return }
    throw Violation(
      code: .compressionError,
      reason: "a header field of \(size) bytes is over the limit of \(BlockScanner.limit) bytes",
      offset: start, field: (stream, size))
  }

  /// A HEADERS frame begins. Only a block that takes several frames, or a very large one, can have a string that is too
  /// large.
  private mutating func beginBlock(_ id: Int32, flags: UInt32, endsBlock: Bool) {
    guard !endsBlock || rest > BlockScanner.limit else { return }
    block = (BlockScanner(), id)
    isLastOfBlock = endsBlock
    isPadded = flags & NGHTTP2_FLAG_PADDED.rawValue != 0
    beforeBlock = flags & NGHTTP2_FLAG_PRIORITY.rawValue != 0 ? 5 : 0
    padding = 0
  }

  /// Takes what may have come in two reads, byte by byte: a head, or what PRIORITY says first.
  private mutating func collect(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) throws(Violation) {
    let start = max(0, position - beginningSize)
    let size = prioritized == 0 ? Self.headSize - 1 : 3
    while beginningSize < size, position < bytes.count {
      beginning = beginning << 8 | UInt64(bytes[position])
      beginningSize += 1
      position += 1
    }
    guard position < bytes.count else { return }
    let (head, last) = (beginning, bytes[position])
    (beginning, beginningSize) = (0, 0)
    position += 1
    guard prioritized != 0 else { return try take(head, last, offset: start) }
    defer { prioritized = 0 }
    rest = 1
    if Self.id(head, last) == prioritized {
      throw Violation(code: .protocolError, reason: "PRIORITY that depends on itself", offset: start)
    }
  }

  private static func id(_ first: UInt64, _ last: UInt8) -> Int32 {
    Int32(truncatingIfNeeded: (first << 8 | UInt64(last)) & 0x7fff_ffff)
  }

  /// - Parameters:
  ///   - head: Length, type, flags and the first three bytes of the stream's number.
  ///   - last: The number's last byte.
  private mutating func take(_ head: UInt64, _ last: UInt8, offset: Int) throws(Violation) {
    if isFirst {
      isFirst = false
      // "HTTP/1.", where SETTINGS should be (RFC 9113 §3.4).
      if role == .client, head >> 8 == 0x48_5454_502F_312E {
        throw Violation(
          code: .http11Required,
          reason: "it answers HTTP/1.1: is this the port of a gRPC server, which speaks HTTP/2, and one without TLS?",
          offset: offset, isOtherProtocol: true)
      }
      // No server has larger frames before it has seen this end's SETTINGS (§4.2).
      if role == .client, head >> 40 > 16_384 {
        var bytes: [UInt8] = []
        for shift in stride(from: 56, through: 0, by: -8) {
          bytes.append(UInt8(truncatingIfNeeded: head >> UInt64(shift)))
        }
        bytes.append(last)
        for index in bytes.indices where bytes[index] < 0x20 || bytes[index] > 0x7e { bytes[index] = UInt8(ascii: "?") }
        let text = String(decoding: bytes, as: UTF8.self)
        throw Violation(
          code: .protocolError, reason: "it does not speak HTTP/2: its first bytes are \"\(text)\"", offset: offset,
          isOtherProtocol: true)
      }
    }
    rest = Int(head >> 40)
    let id = Self.id(head, last)
    let type = UInt32(head >> 32 & 0xff)
    let flags = UInt32(head >> 24 & 0xff)
    let endsBlock = flags & NGHTTP2_FLAG_END_HEADERS.rawValue != 0
    if block != nil {
      // The frame that ends the block is the last that is looked at.
      if type == NGHTTP2_CONTINUATION.rawValue, !isLastOfBlock {
        (padding, isLastOfBlock) = (0, endsBlock)
      } else {
        (block, isLastOfBlock) = (nil, false)
      }
    }
    if isInBlock {
      if type == NGHTTP2_CONTINUATION.rawValue, endsBlock { isInBlock = false }
      return
    }
    if type == NGHTTP2_HEADERS.rawValue { beginBlock(id, flags: flags, endsBlock: endsBlock) }
    let endsStream = flags & NGHTTP2_FLAG_END_STREAM.rawValue != 0
    if type == NGHTTP2_PRIORITY.rawValue {
      if id == 0 { throw Violation(code: .protocolError, reason: "PRIORITY on stream 0", offset: offset) }
      // Other sizes are nghttp2's to refuse. A stream that depends on itself is RFC 7540's error (§5.3.1).
      if rest == 5 { (prioritized, rest) = (id, 0) }
    }
    // A server's streams are never begun (RFC 9113 §8.4): nghttp2 knows what to do with other numbers.
    guard role == .server, id & 1 == 1 else { return }
    switch type {
    case NGHTTP2_HEADERS.rawValue:
      if numbers.isSkipped(id) {
        throw Violation(code: .protocolError, reason: "HEADERS on a stream that was skipped", offset: offset)
      }
      if numbers.isEnded(id) {
        throw Violation(code: .streamClosed, reason: "HEADERS on a stream that was ended", offset: offset)
      }
      numbers.use(id)
      isInBlock = !endsBlock
      if endsStream { numbers.end(id) }
    case NGHTTP2_DATA.rawValue:
      if numbers.isEnded(id) {
        throw Violation(code: .streamClosed, reason: "DATA on a stream that was ended", offset: offset)
      }
      if endsStream { numbers.end(id) }
    case NGHTTP2_RST_STREAM.rawValue: numbers.end(id)
    default: break
    }
  }
}

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

/// The stream numbers that a client has used. Those that it skips are closed for good (RFC 9113 §5.1.1), and so are those
/// that it has ended (§5.1): nghttp2, which could tell, forgets streams without priorities when they close.
struct StreamNumbers {
  private var highest: Int32 = -1
  /// The latest skips; no client but a broken one has any.
  private var skipped: [ClosedRange<Int32>] = []
  private static let maxSkips = 16

  /// Which of the latest 128 numbers of clients, which are odd, the client has ended; the lowest bit is the highest's.
  private var ended: UInt128 = 0

  /// True when the number was skipped, and may not be used any more.
  func isSkipped(_ id: Int32) -> Bool {
    id < highest && skipped.contains { $0.contains(id) }
  }

  /// True when the client has ended the stream, and may send no more on it. Older ones are forgotten.
  func isEnded(_ id: Int32) -> Bool {
    id <= highest && (ended >> UInt128((highest - id) / 2)) & 1 == 1
  }

  /// END_STREAM or RST_STREAM came on the stream.
  mutating func end(_ id: Int32) {
    guard id <= highest else { return }
    ended |= 1 << UInt128((highest - id) / 2)
  }

  /// HEADERS came on the stream.
  mutating func use(_ id: Int32) {
    guard id > highest else { return }
    if id > highest + 2 {
      if skipped.count == Self.maxSkips { skipped.removeFirst() }
      skipped.append(highest + 1...id - 1)
    }
    ended <<= UInt128((id - highest) / 2)
    highest = id
  }
}
