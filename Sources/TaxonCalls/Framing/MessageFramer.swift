// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// Puts messages into a body, compressed when that is wanted: each behind a flag and four bytes of length (gRPC over
/// HTTP/2, "Length-Prefixed-Message"), or as other protocols have it.
struct MessageFramer {
  /// Bytes before a message.
  static let prefixSize = 5
  let settings: CompressionSettings?
  private let codec: MessageCodec
  private let framing: BodyFraming
  private var compressor: Compressor?
  /// The last message was compressed.
  private(set) var hasCompressed = false

  init(_ settings: CompressionSettings?, codec: MessageCodec = .binary, framing: BodyFraming = .enveloped) {
    self.settings = settings
    self.codec = codec
    self.framing = framing
  }

  /// Appends a message in its frame.
  ///
  /// - Parameter compress: Whether this very message is to be compressed; nil leaves it to its size. Nothing is
  ///   compressed in a call without compression.
  /// - Throws: `CallError.MalformedMessage` when the message cannot be encoded.
  mutating func append<M: Message>(
    _ message: M, compress: Bool?, to buffer: inout OutboundBuffer
  ) throws(RPCError) {
    guard case .binary = codec, framing == .enveloped else { return try appendOther(message, compress, to: &buffer) }
    do throws(MessageEncodingError) {
      let isWritten = try message.withEncoder { encoder in
        if let settings, compress ?? (encoder.byteCount >= settings.minimumSize) { return false }
        buffer.append(encoder.byteCount + Self.prefixSize) { target in
          Self.prefix(encoder.byteCount, flag: 0, into: target)
          encoder.pack(into: UnsafeMutableRawBufferPointer(rebasing: target[Self.prefixSize...]))
        }
        return true
      }
      if isWritten { return }
      try message.encoded().withUnsafeBytes { appendCompressed($0, to: &buffer) }
    } catch {
      throw RPCError(CallError.MalformedMessage(type: M.descriptor.name, reason: "\(error)"))
    }
  }

  private mutating func appendOther<M: Message>(
    _ message: M, _ compress: Bool?, to buffer: inout OutboundBuffer
  ) throws(RPCError) {
    switch codec {
    case .binary:
      do throws(MessageEncodingError) {
        try message.encoded().withUnsafeBytes { append($0, compress, to: &buffer) }
      } catch {
        throw RPCError(CallError.MalformedMessage(type: M.descriptor.name, reason: "\(error)"))
      }
    case .other(let coder):
      try coder.encode(message) { append($0, compress, to: &buffer) }
    }
  }

  private mutating func append(_ bytes: UnsafeRawBufferPointer, _ compress: Bool?, to buffer: inout OutboundBuffer) {
    if let settings, compress ?? (bytes.count >= settings.minimumSize) {
      appendCompressed(bytes, to: &buffer)
    } else {
      put(bytes, isCompressed: false, to: &buffer)
    }
  }

  private mutating func appendCompressed(_ bytes: UnsafeRawBufferPointer, to buffer: inout OutboundBuffer) {
    guard let settings else { return }
    do throws(CompressionError) {
      let compressor = if let compressor { compressor } else { try Compressor(settings.compression) }
      self.compressor = compressor
      try compressor.compress(bytes) { put($0, isCompressed: true, to: &buffer) }
    } catch {
      // zlib has no memory; the message goes as it is.
      put(bytes, isCompressed: false, to: &buffer)
    }
  }

  private mutating func put(_ bytes: UnsafeRawBufferPointer, isCompressed: Bool, to buffer: inout OutboundBuffer) {
    hasCompressed = isCompressed
    Self.put(bytes, flag: isCompressed ? 1 : 0, framing, to: &buffer)
  }

  /// Appends bytes in a frame; the flag has no place where the body is the message.
  static func put(_ bytes: UnsafeRawBufferPointer, flag: UInt8, _ framing: BodyFraming, to buffer: inout OutboundBuffer)
  {
    switch framing {
    case .whole:
      guard !bytes.isEmpty else { return }
      buffer.append(bytes.count) { $0.copyMemory(from: bytes) }
    case .enveloped:
      buffer.append(bytes.count + prefixSize) { target in
        prefix(bytes.count, flag: flag, into: target)
        UnsafeMutableRawBufferPointer(rebasing: target[prefixSize...]).copyMemory(from: bytes)
      }
    case .base64:
      // Padded, so that what is there can be read without what follows.
      let frame = [UInt8](unsafeUninitializedCapacity: bytes.count + prefixSize) { target, count in
        let target = UnsafeMutableRawBufferPointer(target)
        prefix(bytes.count, flag: flag, into: target)
        UnsafeMutableRawBufferPointer(rebasing: target[prefixSize...]).copyMemory(from: bytes)
        count = bytes.count + prefixSize
      }
      let text = Base64.encode(frame, isPadded: true)
      buffer.append(text.count) { $0.copyBytes(from: text) }
    }
  }

  /// The size is under 2 GiB: no message is larger.
  private static func prefix(_ size: Int, flag: UInt8, into target: UnsafeMutableRawBufferPointer) {
    target[0] = flag
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
