// SPDX-License-Identifier: Apache-2.0
import CZlib

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
