// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// What came from the peer and is not in the decoder yet. The guards look at it first, and it goes on piece by piece: a head, or
/// a part of a body that there is room for. No I/O.
struct HTTP1Input {
  /// What of the request comes next.
  private enum Place {
    case head
    case body(left: Int)
    case chunks(ChunkGuard)
  }

  private var place = Place.head
  private var pending = ByteBuffer()
  /// Bytes of it that the guard has seen.
  private var scanned = 0
  private var guardian = HTTP1Guard()
  /// Bytes of a head, and those of trailers.
  private let sizeLimit: Int
  private var smallChunks: TokenBucket
  /// The body comes in chunks.
  private(set) var isChunked = false

  /// Small chunks that were taken, and requests, which count as several, since `hasManySmallParts` was last asked.
  private var smallParts = 0

  private static let smallFramesPerMessage = 4
  /// A request costs about as much as so many small chunks.
  private static let partsPerRequest = 8
  private static let maxSmallParts = 512

  init(_ configuration: HTTP1Configuration, now: NIODeadline) {
    sizeLimit = configuration.maxHeaderListSize
    smallChunks = TokenBucket(configuration.smallChunks, now: now)
  }

  /// There is nothing.
  var isEmpty: Bool { pending.readableBytes == 0 }
  /// A head comes next, or goes on.
  var isInHead: Bool { if case .head = place { true } else { false } }
  /// All of the request has been taken.
  var isAtEnd: Bool { if case .body(left: 0) = place { true } else { false } }
  /// Bytes of the body that have not been taken; nil when nobody knows.
  var left: Int? { if case .body(let left) = place { left } else { nil } }

  mutating func append(_ bytes: ByteBuffer) {
    if isEmpty { pending = bytes } else { pending.writeImmutableBuffer(bytes) }
  }

  /// Lets go of the memory in which nothing is any more, so that the channel reads into it again.
  mutating func releaseMemory() { if isEmpty { pending = ByteBuffer() } }

  /// To be asked after each read: whether what came in it costs more than it should before others have their turn.
  mutating func hasManySmallParts() -> Bool {
    defer { smallParts = 0 }
    return smallParts > Self.maxSmallParts
  }

  /// A head has said how its body ends.
  mutating func begin(_ body: HTTP1RequestHead.Body) {
    isChunked = body == .chunked
    place =
      switch body {
      case .none: .body(left: 0)
      case .length(let count): .body(left: count)
      case .chunked: .chunks(ChunkGuard(trailersLimit: sizeLimit))
      }
  }

  /// The next request begins.
  mutating func requestEnded() { place = .head }

  /// Takes a head; nil when it is not complete.
  ///
  /// - Throws: `HTTP1Fault` when it is malformed or too large.
  mutating func nextHead() throws(HTTP1Fault) -> ByteBuffer? {
    let end = try scan { bytes, input throws(HTTP1Fault) in try input.guardian.scan(bytes) }
    let size = end.map { scanned + $0 } ?? pending.readableBytes
    // Counted as HTTP/2 does it is more.
    guard size <= sizeLimit else { throw Self.headTooLarge(sizeLimit) }
    guard end != nil else {
      scanned = size
      return nil
    }
    (scanned, guardian) = (0, HTTP1Guard())
    smallParts += Self.partsPerRequest
    return pending.readSlice(length: size)
  }

  static func headTooLarge(_ limit: Int) -> HTTP1Fault {
    HTTP1Fault(431, "The head of the request is over the limit of \(limit) bytes", limit: "header_list")
  }

  /// Takes a part of the body; nil when there is none, or no room for it.
  ///
  /// - Parameters:
  ///   - room: Bytes of data that may be taken.
  ///   - messages: Messages that what was taken before has completed.
  /// - Returns: The part, and how many bytes of it are data.
  /// - Throws: `HTTP1Fault` when it is malformed.
  mutating func nextPart(
    room: Int, messages: Int, now: NIODeadline
  ) throws(HTTP1Fault) -> (part: ByteBuffer, data: Int)? {
    switch place {
    case .head: return nil
    case .body(let left):
      let count = min(left, pending.readableBytes, room)
      place = .body(left: left - count)
      return count > 0 ? pending.readSlice(length: count).map { ($0, count) } : nil
    case .chunks(var chunks):
      let (count, data, isEnd) = try scan { bytes, _ throws(HTTP1Fault) in try chunks.scan(bytes, limit: room) }
      try admit(&chunks, messages: messages, now: now)
      place = isEnd ? .body(left: 0) : .chunks(chunks)
      return count > 0 ? pending.readSlice(length: count).map { ($0, data) } : nil
    }
  }

  /// Has a guard look at what it has not seen yet.
  private mutating func scan<T>(
    _ body: (UnsafeRawBufferPointer, inout HTTP1Input) throws(HTTP1Fault) -> T
  ) throws(HTTP1Fault) -> T {
    let (bytes, skipped) = (pending, scanned)
    let result = bytes.withUnsafeReadableBytes { bytes -> Result<T, HTTP1Fault> in
      do throws(HTTP1Fault) {
        return .success(try body(UnsafeRawBufferPointer(rebasing: bytes[skipped...]), &self))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// Counts chunks, which cost the peer less than this end when they are small.
  private mutating func admit(_ chunks: inout ChunkGuard, messages: Int, now: NIODeadline) throws(HTTP1Fault) {
    smallChunks.give((chunks.otherChunks + messages) * Self.smallFramesPerMessage)
    smallParts += chunks.smallChunks
    var isAdmitted = true
    for _ in 0..<chunks.smallChunks { isAdmitted = smallChunks.take(now) && isAdmitted }
    (chunks.smallChunks, chunks.otherChunks) = (0, 0)
    guard isAdmitted else {
      throw HTTP1Fault(400, "There were too many chunks of a few bytes", limit: "too_many_small_chunks")
    }
  }
}
