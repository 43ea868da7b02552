// SPDX-License-Identifier: Apache-2.0

/// The types of frames (RFC 9113 §6).
enum FrameType: UInt8 {
  case data, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
}

enum FrameFlags {
  /// Of DATA and HEADERS.
  static let endStream: UInt8 = 1
  /// Of SETTINGS and PING.
  static let ack: UInt8 = 1
  static let endHeaders: UInt8 = 4
  static let padded: UInt8 = 8
}

/// The parameters of SETTINGS (RFC 9113 §6.5.2).
enum SettingID {
  static let headerTableSize = 1
  static let enablePush = 2
  static let maxConcurrentStreams = 3
  static let initialWindowSize = 4
  static let maxFrameSize = 5
  static let maxHeaderListSize = 6
}

/// A name and a value of a header block.
typealias Field = (name: String, value: String)

/// Frames as they are on the wire, right or wrong.
enum FrameBytes {
  static func number(_ value: Int, _ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var rest = value
    var index = count
    while index > 0 {
      index -= 1
      bytes[index] = UInt8(truncatingIfNeeded: rest)
      rest >>= 8
    }
    return bytes
  }

  /// The number that so many bytes are.
  static func number(in bytes: [UInt8], at start: Int, _ count: Int) -> Int {
    var number = 0
    var index = start
    while index < start + count, index < bytes.count {
      number = number << 8 | Int(bytes[index])
      index += 1
    }
    return number
  }

  static func frame(_ type: UInt8, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []) -> [UInt8] {
    number(payload.count, 3) + [type, flags] + number(stream, 4) + payload
  }

  static func frame(_ type: FrameType, flags: UInt8 = 0, stream: Int = 0, _ payload: [UInt8] = []) -> [UInt8] {
    frame(type.rawValue, flags: flags, stream: stream, payload)
  }

  static func settings(_ entries: [(id: Int, value: Int)] = []) -> [UInt8] {
    frame(.settings, entries.flatMap { number($0.id, 2) + number($0.value, 4) })
  }

  /// Literals that are never indexed, with new names and without Huffman's code (RFC 7541 §6.2.3).
  static func block(_ fields: [Field]) -> [UInt8] {
    fields.flatMap { [0x10] + text($0.name) + text($0.value) }
  }

  private static func text(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
    var rest = bytes.count - 127
    var length: [UInt8] = [127]
    while rest >= 128 {
      length.append(UInt8(rest & 127 | 128))
      rest >>= 7
    }
    return length + [UInt8(rest)] + bytes
  }

  /// HEADERS, and CONTINUATION for what has no room in it.
  static func headers(_ stream: Int, _ fields: [Field], endStream: Bool = false, frameSize: Int = 16_384) -> [UInt8] {
    var rest = block(fields)[...]
    var bytes: [UInt8] = []
    var type = FrameType.headers
    repeat {
      let part = Array(rest.prefix(frameSize))
      rest = rest.dropFirst(frameSize)
      let end = type == .headers && endStream ? FrameFlags.endStream : 0
      bytes += frame(type, flags: end | (rest.isEmpty ? FrameFlags.endHeaders : 0), stream: stream, part)
      type = .continuation
    } while !rest.isEmpty
    return bytes
  }

  static func data(_ stream: Int, _ payload: [UInt8], endStream: Bool = false, padding: Int? = nil) -> [UInt8] {
    let end = endStream ? FrameFlags.endStream : 0
    guard let padding else { return frame(.data, flags: end, stream: stream, payload) }
    let padded = [UInt8(padding)] + payload + [UInt8](repeating: 0, count: padding)
    return frame(.data, flags: end | FrameFlags.padded, stream: stream, padded)
  }

  static func reset(_ stream: Int, _ code: Int) -> [UInt8] { frame(.reset, stream: stream, number(code, 4)) }

  static func goAway(_ last: Int, _ code: Int, _ text: String = "") -> [UInt8] {
    frame(.goAway, number(last, 4) + number(code, 4) + Array(text.utf8))
  }

  static func windowUpdate(_ stream: Int, _ increment: Int) -> [UInt8] {
    frame(.windowUpdate, stream: stream, number(increment, 4))
  }

  /// A gRPC message: flag, length, bytes.
  static func message(_ bytes: [UInt8], flag: UInt8 = 0) -> [UInt8] { [flag] + number(bytes.count, 4) + bytes }

  /// A field of a protobuf message that holds bytes.
  static func field(_ id: Int, _ bytes: [UInt8]) -> [UInt8] {
    [UInt8(id << 3 | 2)] + varint(UInt64(bytes.count)) + bytes
  }

  static func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 128 {
      bytes.append(UInt8(rest & 127 | 128))
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
