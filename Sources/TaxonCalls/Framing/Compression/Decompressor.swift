// SPDX-License-Identifier: Apache-2.0
import CZlib

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
