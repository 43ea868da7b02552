// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// How a message is written.
package enum MessageCodec: Sendable, Hashable {
  /// Protobuf's binary format.
  case binary

  /// The message that came.
  ///
  /// - Throws: `CallError.MalformedMessage` when it cannot be decoded.
  package func decode<Content: Message>(
    _ type: Content.Type, _ bytes: UnsafeRawBufferPointer
  ) throws(RPCError) -> Content {
    do throws(MessageDecodingError) {
      switch self {
      case .binary: return try Content(decoding: bytes)
      }
    } catch {
      throw RPCError(CallError.MalformedMessage(type: Content.descriptor.name, reason: "\(error)"))
    }
  }
}

/// Cuts the bytes of a stream into messages: a flag, four bytes of length, the message (gRPC over HTTP/2,
/// "Length-Prefixed-Message").
///
/// A message that lies in one piece in the input is handed out where it lies; only one that arrives in parts is gathered,
/// and memory for it grows with what arrived, not with what its prefix announces.
struct MessageDeframer {
  /// What can be wrong with the framing.
  enum Failure: Error, Equatable {
    /// The prefix announces more than the limit allows; sizes in bytes.
    case tooLarge(size: Int, limit: Int)
    /// The flag is neither 0 nor 1.
    case invalidFlag(UInt8)
  }

  /// Bytes.
  let limit: Int
  private var prefix: (UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0)
  private var prefixCount = 0
  private var gathered: [UInt8] = []
  /// Messages that were handed out.
  private var count = 0

  init(limit: Int) { self.limit = limit }

  /// True when the input ended between two messages.
  var isAtBoundary: Bool { prefixCount == 0 }

  /// Bytes of memory that are kept from one piece of input to the next.
  var heldCount: Int { gathered.capacity }

  /// A message was complete and not taken; the next `process` begins with it.
  private(set) var hasMessage = false

  /// Bytes that came of a message that is complete and not taken.
  var wholeCount: Int { hasMessage ? 5 + gathered.count : 0 }

  /// Bytes that came of a message that is not complete.
  var partCount: Int { hasMessage ? 0 : prefixCount + gathered.count }

  /// Forgets what came of a message.
  mutating func clear() {
    gathered = []
    prefixCount = 0
    hasMessage = false
  }

  /// Where in a message the input ended, such as "after 10 of the 300 bytes of message 2"; nil between two messages.
  var truncation: String? {
    if isAtBoundary { return nil }
    let number = count + 1
    guard prefixCount == 5 else { return "after \(prefixCount) of the 5 bytes of the prefix of message \(number)" }
    return "after \(gathered.count) of the \(length) bytes of message \(number)"
  }

  /// Bytes, as the prefix has them.
  private var length: Int { Int(prefix.1) << 24 | Int(prefix.2) << 16 | Int(prefix.3) << 8 | Int(prefix.4) }

  /// Takes a piece of input and hands out every message that is complete with it.
  ///
  /// - Parameter message: False when the message is not taken, and no further one is wanted for now.
  /// - Returns: Bytes of the input that were not looked at because a message was not taken.
  mutating func process(
    _ input: UnsafeRawBufferPointer, _ message: (_ isCompressed: Bool, _ bytes: UnsafeRawBufferPointer) -> Bool
  ) throws(Failure) -> Int {
    var rest = input[...]
    if hasMessage {
      hasMessage = false
      guard handGathered(message) else { return rest.count }
    }
    while !rest.isEmpty {
      while prefixCount < 5, let byte = rest.first {
        withUnsafeMutableBytes(of: &prefix) { $0[prefixCount] = byte }
        prefixCount += 1
        rest = rest.dropFirst()
      }
      guard prefixCount == 5 else { return 0 }
      guard prefix.0 <= 1 else { throw .invalidFlag(prefix.0) }
      let length = length
      guard length <= limit else { throw .tooLarge(size: length, limit: limit) }
      let missing = length - gathered.count
      if gathered.isEmpty, rest.count >= missing {
        prefixCount = 0
        count &+= 1
        if !message(prefix.0 == 1, UnsafeRawBufferPointer(rebasing: rest.prefix(missing))) {
          // The prefix is kept, and the message, which is a copy from here on.
          prefixCount = 5
          gathered = Array(rest.prefix(missing))
          hasMessage = true
          return rest.count - missing
        }
      } else {
        gathered.append(contentsOf: rest.prefix(missing))
        guard rest.count >= missing else { return 0 }
        count &+= 1
        if !handGathered(message) { return rest.count - missing }
      }
      rest = rest.dropFirst(missing)
    }
    return 0
  }

  private mutating func handGathered(_ message: (Bool, UnsafeRawBufferPointer) -> Bool) -> Bool {
    let bytes = gathered
    prefixCount = 0
    if bytes.withUnsafeBytes({ message(prefix.0 == 1, $0) }) {
      gathered = []
      return true
    }
    prefixCount = 5
    hasMessage = true
    return false
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
