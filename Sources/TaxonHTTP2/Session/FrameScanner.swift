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
  }

  private let role: HTTP2Session.Role
  private var numbers = StreamNumbers()
  /// Bytes that are no head: of the preface, or of the content of the latest frame.
  private var rest: Int
  /// The beginning of a head that ended a read, and its size.
  private var beginning: UInt64 = 0
  private var beginningSize = 0
  /// The stream of a PRIORITY frame whose first four bytes are still to come; 0 when there is none.
  private var prioritized: Int32 = 0

  /// A header block has begun and not ended: what is no CONTINUATION is an error there that nghttp2 finds (§4.3).
  private var isInBlock = false

  private static let headSize = 9
  private static let prefaceSize = 24

  init(role: HTTP2Session.Role) {
    self.role = role
    rest = role == .server ? Self.prefaceSize : 0
  }

  /// Looks at bytes in the order in which they come.
  mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(Violation) {
    var position = 0
    while bytes.count - position > rest {
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
    rest -= bytes.count - position
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
    rest = Int(head >> 40)
    let id = Self.id(head, last)
    let type = UInt32(head >> 32 & 0xff)
    let flags = UInt32(head >> 24 & 0xff)
    let endsBlock = flags & NGHTTP2_FLAG_END_HEADERS.rawValue != 0
    if isInBlock {
      if type == NGHTTP2_CONTINUATION.rawValue, endsBlock { isInBlock = false }
      return
    }
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
