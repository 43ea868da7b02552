// SPDX-License-Identifier: Apache-2.0
import CZlib
import TaxonErrors

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// How a message may be compressed: the names that `grpc-encoding` and `grpc-accept-encoding` have for it (gRPC over
/// HTTP/2, "Message-Encoding"). Each message is compressed on its own.
public enum Compression: String, Sendable, CaseIterable {
  /// The gzip format (RFC 1952), one member.
  case gzip
  /// The zlib format (RFC 1950), which HTTP calls deflate and so does gRPC; not bare DEFLATE data.
  case deflate

  /// The size of the window, 2^15 bytes, and the format around the data, as `inflateInit2` and `deflateInit2` take them.
  var windowBits: Int32 {
    switch self {
    case .gzip: 15 + 16
    case .deflate: 15
    }
  }
}

/// Why a message could not be compressed or decompressed.
public enum CompressionError: Error, Sendable, Hashable {
  /// Decompressed, the message is larger than the limit, in bytes. How much larger is not known: it is given up there.
  case tooLarge(limit: Int)
  /// The message ends before its compressed data does.
  case truncated
  /// What came is not of the format, or its checksum says that it is not what was sent; in zlib's words.
  case corrupt(String)
  /// The compressed data ends before the message does, by a number of bytes.
  case trailing(Int)
  /// The system gave no memory.
  case outOfMemory
}

extension CompressionError: CustomStringConvertible {
  /// What is wrong, with nothing of the message's content.
  public var description: String {
    switch self {
    case .tooLarge(let limit): "the message is larger than \(limit) bytes when it is decompressed"
    case .truncated: "the compressed message ends too early"
    case .corrupt(let reason): "the compressed message is corrupt: \(reason)"
    case .trailing(let count): "\(count) bytes follow the compressed message"
    case .outOfMemory: "there is no memory for a compressed message"
    }
  }
}

/// Compresses one message after the other, with one state for all of them: some 270 KiB, and
/// ``ScratchBuffer/retained``. To be used by one thread at a time.
package final class Compressor {
  /// The format that it writes.
  package let compression: Compression
  // On the heap, since zlib keeps its address.
  private let stream: UnsafeMutablePointer<z_stream>
  private(set) var scratch = ScratchBuffer()

  /// Throws `outOfMemory`.
  package init(_ compression: Compression) throws(CompressionError) {
    self.compression = compression
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // deflateInit2 is a macro for this; 8 is zlib's own choice of how much memory its tables take.
    let code = deflateInit2_(
      stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, compression.windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else {
      stream.deallocate()
      throw .outOfMemory
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Compresses a message and shows the outcome to the body, whose pointer is good no longer than the body runs. What
  /// does not compress comes out a little larger than it was.
  ///
  /// Throws `outOfMemory`, and `tooLarge` for a message of 4 GiB or more, which no length prefix has room for.
  package func compress<Result>(
    _ input: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(CompressionError) -> Result {
    guard let size = UInt32(exactly: input.count) else { throw .tooLarge(limit: Int(UInt32.max)) }
    defer {
      deflateReset(stream)
      scratch.shrink()
    }
    // With room for the worst outcome, one call does it all.
    try scratch.grow(to: Int(deflateBound(stream, UInt(size))))
    // zlib reads only what is at `next_in`, though its type does not say so.
    stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?
      .assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = size
    stream.pointee.next_out = scratch.bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(clamping: scratch.bytes.count)
    let space = stream.pointee.avail_out
    let code = deflate(stream, Z_FINISH)
    guard code == Z_STREAM_END else { throw .outOfMemory }
    let count = Int(space - stream.pointee.avail_out)
    return body(UnsafeRawBufferPointer(rebasing: scratch.bytes[..<count]))
  }
}

/// Decompresses one message after the other, with one state for all of them: some 40 KiB once a message came, and
/// ``ScratchBuffer/retained``. To be used by one thread at a time.
package final class Decompressor {
  /// The format that it reads.
  package let compression: Compression
  // On the heap, since zlib keeps its address.
  private let stream: UnsafeMutablePointer<z_stream>
  private(set) var scratch = ScratchBuffer()

  /// Throws `outOfMemory`.
  package init(_ compression: Compression) throws(CompressionError) {
    self.compression = compression
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // inflateInit2 is a macro for this.
    let code = inflateInit2_(stream, compression.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else {
      stream.deallocate()
      throw .outOfMemory
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Decompresses a message and shows it to the body, whose pointer is good no longer than the body runs.
  ///
  /// - Parameters:
  ///   - input: The whole of the compressed message.
  ///   - limit: Bytes that it may have when decompressed. Memory grows with what comes out, to one byte more than this.
  ///   - body: Is given the message; its result is returned.
  package func decompress<Result>(
    _ input: UnsafeRawBufferPointer, limit: Int, _ body: (UnsafeRawBufferPointer) -> Result
  ) throws(CompressionError) -> Result {
    defer {
      inflateReset(stream)
      scratch.shrink()
    }
    let count = try inflate(input, limit: limit)
    return body(UnsafeRawBufferPointer(rebasing: scratch.bytes[..<count]))
  }

  /// Fills the scratch and says how many bytes of it are the message.
  private func inflate(_ input: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> Int {
    // One more than the limit, so that a message which has just the limit's size still comes to its end.
    let most = min(max(0, limit), Int.max - 1) + 1
    var consumed = 0
    var produced = 0
    try scratch.grow(to: min(most, max(ScratchBuffer.retained, 2 * input.count)))
    while true {
      let room = min(scratch.bytes.count, most) - produced
      // zlib reads only what is at `next_in`, though its type does not say so.
      stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress.map { $0 + consumed })?
        .assumingMemoryBound(to: UInt8.self)
      stream.pointee.avail_in = UInt32(clamping: input.count - consumed)
      stream.pointee.next_out = scratch.bytes.baseAddress.map { ($0 + produced).assumingMemoryBound(to: UInt8.self) }
      stream.pointee.avail_out = UInt32(clamping: room)
      let (offered, space) = (stream.pointee.avail_in, stream.pointee.avail_out)
      let code = CZlib.inflate(stream, Z_NO_FLUSH)
      consumed += Int(offered - stream.pointee.avail_in)
      produced += Int(space - stream.pointee.avail_out)
      guard produced <= limit else { throw .tooLarge(limit: limit) }
      switch code {
      case Z_STREAM_END:
        guard consumed == input.count else { throw .trailing(input.count - consumed) }
        return produced
      case Z_OK, Z_BUF_ERROR:
        if stream.pointee.avail_out == 0 {
          try scratch.grow(to: min(most, 2 * scratch.bytes.count))
        } else if consumed == input.count {
          throw .truncated
        }
      case Z_NEED_DICT: throw .corrupt("it needs a preset dictionary")
      case Z_MEM_ERROR: throw .outOfMemory
      default: throw .corrupt(stream.pointee.msg.map { String(cString: $0) } ?? "zlib's error \(code)")
      }
    }
  }
}

/// Memory that a codec writes one message to after the other.
struct ScratchBuffer: ~Copyable {
  /// Bytes that are kept from one message to the next; larger memory is given back.
  static let retained = 16_384

  private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// The most bytes that it ever had.
  private(set) var peak = 0

  deinit { free(bytes.baseAddress) }

  /// Makes it larger, if it is smaller; what was written to it stays.
  mutating func grow(to count: Int) throws(CompressionError) {
    guard count > bytes.count else { return }
    guard let memory = realloc(bytes.baseAddress, count) else { throw .outOfMemory }
    bytes = UnsafeMutableRawBufferPointer(start: memory, count: count)
    peak = max(peak, count)
  }

  /// Gives back what is more than it keeps.
  mutating func shrink() {
    guard bytes.count > Self.retained else { return }
    free(bytes.baseAddress)
    bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }
}

extension CompressionError {
  /// The error of a call whose message cannot be decompressed.
  var undeclared: RPCError {
    switch self {
    // How large it is, is not known: it was given up at the first byte past the limit.
    case .tooLarge(let limit): RPCError(CallError.MessageTooLarge(size: Int64(limit) + 1, limit: Int64(limit)))
    case .outOfMemory: RPCError(.resourceExhausted, "Of what was sent, \(self)")
    case .truncated, .corrupt, .trailing: RPCError(CallError.ProtocolViolation(reason: "\(self)"))
    }
  }
}

extension Compression {
  /// What stands in `grpc-accept-encoding`.
  public static let acceptedHere = (allCases.map(\.rawValue) + ["identity"]).joined(separator: ",")

  /// The formats that a `grpc-accept-encoding` names, those left out that are not known here.
  static func list(_ value: UnsafeBufferPointer<UInt8>) -> Set<Compression> {
    Set(
      value.split(separator: UInt8(ascii: ",")).compactMap { word in
        Compression(rawValue: String(decoding: word.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self))
      })
  }
}

/// How a call's own messages are compressed.
public struct CompressionSettings: Sendable, Hashable {
  /// The format.
  public var compression: Compression
  /// Bytes below which a message is left as it is.
  public var minimumSize: Int

  /// Settings; messages below 1 KiB are left as they are unless something else is said.
  public init(_ compression: Compression, minimumSize: Int = 1024) {
    self.compression = compression
    self.minimumSize = minimumSize
  }
}
