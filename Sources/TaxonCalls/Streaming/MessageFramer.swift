// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

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

/// Puts messages into frames: a flag, four bytes of length, the message, compressed when that is wanted (gRPC over
/// HTTP/2, "Length-Prefixed-Message").
struct MessageFramer {
  /// Bytes before a message.
  static let prefixSize = 5
  let settings: CompressionSettings?
  private var compressor: Compressor?

  init(_ settings: CompressionSettings?) { self.settings = settings }

  /// Appends a message in its frame.
  ///
  /// - Parameter compress: Whether this very message is to be compressed; nil leaves it to its size. Nothing is
  ///   compressed in a call without compression.
  /// - Throws: `CallError.MalformedMessage` when the message cannot be encoded.
  mutating func append<M: Message>(
    _ message: M, compress: Bool?, to buffer: inout OutboundBuffer
  ) throws(RPCError) {
    do throws(MessageEncodingError) {
      let isWritten = try message.withEncoder { encoder in
        if let settings, compress ?? (encoder.byteCount >= settings.minimumSize) { return false }
        buffer.append(encoder.byteCount + Self.prefixSize) { target in
          Self.prefix(encoder.byteCount, isCompressed: false, into: target)
          encoder.pack(into: UnsafeMutableRawBufferPointer(rebasing: target[Self.prefixSize...]))
        }
        return true
      }
      if isWritten { return }
      try appendCompressed(try message.encoded(), to: &buffer)
    } catch {
      throw RPCError(CallError.MalformedMessage(type: M.descriptor.name, reason: "\(error)"))
    }
  }

  private mutating func appendCompressed(_ bytes: [UInt8], to buffer: inout OutboundBuffer) throws(MessageEncodingError)
  {
    guard let settings else { return }
    do throws(CompressionError) {
      let compressor = if let compressor { compressor } else { try Compressor(settings.compression) }
      self.compressor = compressor
      try bytes.withUnsafeBufferPointer { (bytes) throws(CompressionError) in
        try compressor.compress(UnsafeRawBufferPointer(bytes)) { compressed in
          buffer.append(compressed.count + Self.prefixSize) { target in
            Self.prefix(compressed.count, isCompressed: true, into: target)
            UnsafeMutableRawBufferPointer(rebasing: target[Self.prefixSize...]).copyMemory(from: compressed)
          }
        }
      }
    } catch {
      // zlib has no memory; the message goes as it is.
      buffer.append(bytes.count + Self.prefixSize) { target in
        Self.prefix(bytes.count, isCompressed: false, into: target)
        target[Self.prefixSize...].copyBytes(from: bytes)
      }
    }
  }

  /// The size is under 2 GiB: no message is larger.
  private static func prefix(_ size: Int, isCompressed: Bool, into target: UnsafeMutableRawBufferPointer) {
    target[0] = isCompressed ? 1 : 0
    target.storeBytes(of: UInt32(size).bigEndian, toByteOffset: 1, as: UInt32.self)
  }
}

extension HTTPExchange {
  /// Appends a message to the body, in its frame; nothing of one that cannot be encoded.
  ///
  /// - Throws: `CallError.MalformedMessage` when it cannot be encoded.
  func send(_ message: some Message, compress: Bool?, by framer: inout MessageFramer) throws(RPCError) {
    var part = OutboundBuffer()
    part.adopt(takeSpareMemory())
    try framer.append(message, compress: compress, to: &part)
    send(contentsOf: &part)
  }
}
