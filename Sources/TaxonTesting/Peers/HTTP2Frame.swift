// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// A frame of HTTP/2 as it is on the wire (RFC 9113 §4.1), however wrong it may be: for peers that do what no library would.
public struct HTTP2Frame: Sendable, Hashable, CustomStringConvertible {
  /// The types of RFC 9113 §6.
  public enum Kind: UInt8, Sendable, Hashable {
    /// DATA.
    case data = 0
    /// HEADERS.
    case headers = 1
    /// PRIORITY.
    case priority = 2
    /// RST_STREAM.
    case reset = 3
    /// SETTINGS.
    case settings = 4
    /// PUSH_PROMISE.
    case pushPromise = 5
    /// PING.
    case ping = 6
    /// GOAWAY.
    case goAway = 7
    /// WINDOW_UPDATE.
    case windowUpdate = 8
    /// CONTINUATION.
    case continuation = 9
  }

  /// The number of its type.
  public var type: UInt8
  /// Its flags.
  public var flags: UInt8
  /// Its stream, 0 to 2^31 − 1; 0 for the connection.
  public var stream: UInt32
  /// What follows the nine bytes of its head.
  public var payload: [UInt8]

  /// A frame from its parts.
  public init(type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, payload: [UInt8] = []) {
    self.type = type
    self.flags = flags
    self.stream = stream
    self.payload = payload
  }

  init(_ kind: Kind, flags: UInt8 = 0, stream: UInt32 = 0, payload: [UInt8] = []) {
    self.init(type: kind.rawValue, flags: flags, stream: stream, payload: payload)
  }

  /// Its type; nil for one that RFC 9113 does not know.
  public var kind: Kind? { Kind(rawValue: type) }
  /// The stream, or the header block, ends with it.
  public var endsStream: Bool { (kind == .data || kind == .headers) && flags & 1 != 0 }

  /// As it is on the wire. A payload of 16 MiB and more has no place in a frame, and its length is cut.
  public var bytes: [UInt8] {
    let count = payload.count
    return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags] + Self.bytes(stream)
      + payload
  }

  /// Such as "HEADERS, stream 1, 42 bytes".
  public var description: String {
    let name = kind.map { "\($0)".uppercased() } ?? "type \(type)"
    return "\(name), stream \(stream), \(payload.count) bytes\(endsStream ? ", end" : "")"
  }

  // MARK: Frames to send

  /// SETTINGS, with pairs of a number (RFC 9113 §6.5.2) and a value.
  public static func settings(_ pairs: (UInt16, UInt32)...) -> HTTP2Frame {
    HTTP2Frame(.settings, payload: pairs.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + bytes($0.1) })
  }

  /// The answer to SETTINGS.
  public static let settingsAck = HTTP2Frame(.settings, flags: 1)

  /// HEADERS with fields as literals that nobody indexes (RFC 7541 §6.2.3).
  public static func headers(
    _ stream: UInt32, _ fields: [(String, String)], endStream: Bool = false
  ) -> HTTP2Frame {
    var block: [UInt8] = []
    for (name, value) in fields {
      block += [0x10] + length(name.utf8.count) + Array(name.utf8) + length(value.utf8.count) + Array(value.utf8)
    }
    return HTTP2Frame(.headers, flags: 4 | (endStream ? 1 : 0), stream: stream, payload: block)
  }

  /// The head of an answer of gRPC.
  public static func answer(_ stream: UInt32, _ fields: [(String, String)] = []) -> HTTP2Frame {
    headers(stream, [(":status", "200"), ("content-type", "application/grpc")] + fields)
  }

  /// The end of an answer of gRPC that has begun.
  public static func trailers(
    _ stream: UInt32, _ status: StatusCode = .ok, _ fields: [(String, String)] = []
  ) -> HTTP2Frame {
    headers(stream, [("grpc-status", "\(status.rawValue)")] + fields, endStream: true)
  }

  /// An answer of gRPC that is an end and no more (Trailers-Only).
  public static func trailersOnly(
    _ stream: UInt32, _ status: StatusCode, _ fields: [(String, String)] = []
  ) -> HTTP2Frame {
    headers(
      stream,
      [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "\(status.rawValue)")] + fields,
      endStream: true)
  }

  /// DATA.
  public static func data(_ stream: UInt32, _ payload: [UInt8], endStream: Bool = false) -> HTTP2Frame {
    HTTP2Frame(.data, flags: endStream ? 1 : 0, stream: stream, payload: payload)
  }

  /// DATA with a message as gRPC frames it.
  ///
  /// - Throws: `MessageEncodingError` when the message is larger than 2 GiB.
  public static func message(
    _ stream: UInt32, _ message: some Message, endStream: Bool = false
  ) throws(MessageEncodingError) -> HTTP2Frame {
    let encoded = try message.encoded()
    return data(stream, [0] + bytes(UInt32(encoded.count)) + encoded, endStream: endStream)
  }

  /// RST_STREAM with a code of RFC 9113 §7.
  public static func reset(_ stream: UInt32, code: UInt32) -> HTTP2Frame {
    HTTP2Frame(.reset, stream: stream, payload: bytes(code))
  }

  /// GOAWAY with a code of RFC 9113 §7; streams above the last were not processed.
  public static func goAway(lastStream: UInt32, code: UInt32 = 0, _ text: String = "") -> HTTP2Frame {
    HTTP2Frame(.goAway, payload: bytes(lastStream) + bytes(code) + Array(text.utf8))
  }

  private static func bytes(_ number: UInt32) -> [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

  /// A length with a prefix of seven bits (RFC 7541 §5.1).
  private static func length(_ count: Int) -> [UInt8] {
    if count < 127 { return [UInt8(count)] }
    var bytes: [UInt8] = [127]
    var rest = count - 127
    while rest >= 128 {
      bytes.append(UInt8(rest & 127 | 128))
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}

/// Takes frames out of bytes as they come.
struct HTTP2FrameReader {
  private var received: [UInt8] = []
  /// Bytes of the client's preface that are still to come (RFC 9113 §3.4).
  private var preface = 24

  mutating func read(_ bytes: some Sequence<UInt8>) -> [HTTP2Frame] {
    received += bytes
    let count = min(preface, received.count)
    received.removeFirst(count)
    preface -= count
    var frames: [HTTP2Frame] = []
    while received.count >= 9 {
      let size = Int(received[0]) << 16 | Int(received[1]) << 8 | Int(received[2])
      guard received.count >= 9 + size else { break }
      let stream = received[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
      frames.append(
        HTTP2Frame(type: received[3], flags: received[4], stream: stream, payload: Array(received[9..<(9 + size)])))
      received.removeFirst(9 + size)
    }
    return frames
  }
}
