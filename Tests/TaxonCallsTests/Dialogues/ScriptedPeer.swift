// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// A peer that writes HTTP/2 frames byte by byte, as no library would let it, and reads those that come back.
final class ScriptedPeer {
  /// A frame that came back, its header block decoded.
  enum Frame: Equatable, CustomStringConvertible {
    case headers(stream: Int, [String], endStream: Bool)
    case data(stream: Int, [UInt8], endStream: Bool)
    case reset(stream: Int, code: Int)
    case goAway(last: Int, code: Int)
    case other(type: Int, stream: Int)

    var description: String {
      switch self {
      case .headers(let stream, let fields, let end): "HEADERS \(stream) \(fields)\(end ? " END" : "")"
      case .data(let stream, let bytes, let end): "DATA \(stream) \(bytes)\(end ? " END" : "")"
      case .reset(let stream, let code): "RST_STREAM \(stream) \(code)"
      case .goAway(let last, let code): "GOAWAY \(last) \(code)"
      case .other(let type, let stream): "frame \(type) on \(stream)"
      }
    }
  }

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
  static let emptySettings = frame(type: 4, flags: 0, stream: 0, [])

  static func frame(type: UInt8, flags: UInt8, stream: Int, _ payload: [UInt8]) -> [UInt8] {
    let count = payload.count
    var bytes: [UInt8] = [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
    for shift in [24, 16, 8, 0] { bytes.append(UInt8(stream >> shift & 255)) }
    return bytes + payload
  }

  static func headers(_ stream: Int, _ fields: [(String, String)], endStream: Bool = false) -> [UInt8] {
    var block: [UInt8] = []
    for (name, value) in fields {
      // Literal without indexing, new name (RFC 7541 §6.2.2); lengths under 127 need no continuation.
      block += [0x00, UInt8(name.utf8.count)] + Array(name.utf8) + length(value.utf8.count) + Array(value.utf8)
    }
    return frame(type: 1, flags: 4 | (endStream ? 1 : 0), stream: stream, block)
  }

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

  static func data(_ stream: Int, _ payload: [UInt8], endStream: Bool = false) -> [UInt8] {
    frame(type: 0, flags: endStream ? 1 : 0, stream: stream, payload)
  }

  static func reset(_ stream: Int, code: UInt8) -> [UInt8] {
    frame(type: 3, flags: 0, stream: stream, [0, 0, 0, code])
  }

  /// A gRPC message: flag, length, bytes.
  static func message(_ bytes: [UInt8], flag: UInt8 = 0) -> [UInt8] {
    [flag, 0, 0, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
  }

  private var inflater: OpaquePointer?

  init() { nghttp2_hd_inflate_new(&inflater) }

  deinit { nghttp2_hd_inflate_del(inflater) }

  /// Takes apart what came back.
  func parse(_ bytes: [UInt8]) -> [Frame] {
    var frames: [Frame] = []
    var rest = bytes[...]
    while rest.count >= 9 {
      let head = Array(rest.prefix(9))
      let count = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
      let stream = Int(head[5] & 127) << 24 | Int(head[6]) << 16 | Int(head[7]) << 8 | Int(head[8])
      let payload = Array(rest.dropFirst(9).prefix(count))
      rest = rest.dropFirst(9 + count)
      let endStream = head[4] & 1 != 0
      switch head[3] {
      case 0: frames.append(.data(stream: stream, payload, endStream: endStream))
      case 1: frames.append(.headers(stream: stream, inflate(payload), endStream: endStream))
      case 3: frames.append(.reset(stream: stream, code: number(payload)))
      case 7: frames.append(.goAway(last: number(payload), code: number(Array(payload.dropFirst(4)))))
      default: frames.append(.other(type: Int(head[3]), stream: stream))
      }
    }
    return frames
  }

  private func number(_ bytes: [UInt8]) -> Int { bytes.prefix(4).reduce(0) { $0 << 8 | Int($1) } }

  private func inflate(_ block: [UInt8]) -> [String] {
    var fields: [String] = []
    var rest = block
    while true {
      var field = nghttp2_nv()
      var flags: Int32 = 0
      let used = nghttp2_hd_inflate_hd2(inflater, &field, &flags, rest, rest.count, 1)
      if used < 0 { return fields + ["cannot be decoded"] }
      rest.removeFirst(Int(used))
      if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
        let name = String(decoding: UnsafeBufferPointer(start: field.name, count: field.namelen), as: UTF8.self)
        let value = String(decoding: UnsafeBufferPointer(start: field.value, count: field.valuelen), as: UTF8.self)
        fields.append("\(name): \(value)")
      }
      if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 {
        nghttp2_hd_inflate_end_headers(inflater)
        return fields
      }
    }
  }
}
