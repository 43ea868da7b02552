// SPDX-License-Identifier: Apache-2.0
import CNghttp2

/// Reads what a client sends, frame by frame, and finds what RFC 9113 forbids it. Is told of what has reached the client,
/// which decides what it may still send.
final class FrameChecker {
  /// What the client has sent.
  enum Event {
    case headers(stream: Int, fields: [Field], endStream: Bool)
    case data(stream: Int, count: Int, endStream: Bool)
    case reset(stream: Int, code: Int)
    case settings
    case ping([UInt8])
    case goAway(code: Int, text: String)
  }

  private struct Stream {
    var window: Int
    var isEndedByClient = false
    var isEndedByServer = false
    var isResetByClient = false
    var isResetByServer = false

    var isOpen: Bool { !isResetByClient && !isResetByServer && !(isEndedByClient && isEndedByServer) }
  }

  private struct Limits {
    var maxConcurrentStreams: Int?
    var initialWindow = 65_535
    var maxFrameSize = 16_384
  }

  /// What the client did that it may not.
  private(set) var violations: [String] = []
  /// The server has said things after which nothing can be asked of the client any more, but that it lives.
  var isLenient = false
  /// What the client sent, and what reached it, as far as it is no whole frame yet.
  private var buffer: [UInt8] = []
  private var reached: [UInt8] = []
  private var hasPreface = false
  private var hasSettings = false
  private var block: (stream: Int, bytes: [UInt8], endStream: Bool)?
  private var streams: [Int: Stream] = [:]
  private var highest = -1
  private var window = 65_535
  private var limits = Limits()
  private var unacked: [Limits] = []
  private var unansweredPings: [[UInt8]] = []
  private var hasGoneAway = false
  private var serverHasGoneAway = false
  private var inflater: OpaquePointer?

  init() { nghttp2_hd_inflate_new(&inflater) }

  deinit { nghttp2_hd_inflate_del(inflater) }

  /// Streams that are open as the client has to see it.
  var openStreams: [Int] { streams.filter { $0.value.isOpen }.keys.sorted() }
  /// The highest stream that the client has begun; -1 for none.
  var highestStream: Int { highest }

  private func violate(_ text: String) { if !isLenient { violations.append(text) } }

  // MARK: What reaches the client

  /// Takes bytes of the server that are about to reach the client.
  func reaches(_ bytes: [UInt8]) {
    guard !isLenient else { return }
    reached += bytes
    var start = 0
    defer { reached.removeFirst(start) }
    while reached.count - start >= 9 {
      let size = FrameBytes.number(in: reached, at: start, 3)
      guard reached.count - start >= 9 + size else { return }
      let (type, flags) = (reached[start + 3], reached[start + 4])
      let stream = FrameBytes.number(in: reached, at: start + 5, 4)
      let payload = Array(reached[start + 9..<start + 9 + size])
      start += 9 + size
      switch FrameType(rawValue: type) {
      case .data, .headers: if flags & FrameFlags.endStream != 0 { streams[stream]?.isEndedByServer = true }
      case .reset: streams[stream]?.isResetByServer = true
      case .settings where flags & FrameFlags.ack == 0: reachedSettings(payload)
      case .ping where flags & FrameFlags.ack == 0: unansweredPings.append(payload)
      case .goAway: serverHasGoneAway = true
      case .windowUpdate:
        let increment = FrameBytes.number(in: payload, at: 0, 4) & 0x7fff_ffff
        if stream == 0 { window += increment } else { streams[stream]?.window += increment }
      default: break
      }
    }
  }

  private func reachedSettings(_ payload: [UInt8]) {
    var next = unacked.last ?? limits
    for index in stride(from: 0, to: payload.count - 5, by: 6) {
      let value = FrameBytes.number(in: payload, at: index + 2, 4)
      switch FrameBytes.number(in: payload, at: index, 2) {
      case SettingID.maxConcurrentStreams: next.maxConcurrentStreams = value
      case SettingID.initialWindowSize: next.initialWindow = value
      case SettingID.maxFrameSize: next.maxFrameSize = value
      default: break
      }
    }
    unacked.append(next)
  }

  // MARK: What the client sends

  func take(_ bytes: [UInt8]) -> [Event] {
    buffer += bytes
    if !hasPreface {
      let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
      guard buffer.count >= preface.count else { return [] }
      if !buffer.starts(with: preface) { violate("no preface") }
      hasPreface = true
      buffer.removeFirst(preface.count)
    }
    var events: [Event] = []
    var start = 0
    while buffer.count - start >= 9 {
      let size = FrameBytes.number(in: buffer, at: start, 3)
      guard buffer.count - start >= 9 + size else { break }
      let payload = Array(buffer[start + 9..<start + 9 + size])
      let stream = FrameBytes.number(in: buffer, at: start + 5, 4)
      if let event = frame(buffer[start + 3], buffer[start + 4], stream, payload) { events.append(event) }
      start += 9 + size
    }
    buffer.removeFirst(start)
    return events
  }

  /// The client has closed the connection.
  func ended() {
    if !buffer.isEmpty { violate("the connection ends inside a frame") }
    if block != nil { violate("the connection ends inside a header block") }
  }

  private func frame(_ type: UInt8, _ flags: UInt8, _ id: Int, _ payload: [UInt8]) -> Event? {
    if payload.count > limits.maxFrameSize { violate("a frame of \(payload.count) bytes") }
    if !hasSettings, type != FrameType.settings.rawValue { violate("frame type \(type) before SETTINGS") }
    if block != nil, type != FrameType.continuation.rawValue { violate("frame type \(type) inside a header block") }
    switch FrameType(rawValue: type) {
    case .data: return data(flags, id, payload)
    case .headers: return headers(flags, id, payload)
    case .continuation:
      guard var open = block, open.stream == id else {
        violate("CONTINUATION without HEADERS on \(id)")
        return nil
      }
      open.bytes += payload
      block = open
      return flags & FrameFlags.endHeaders != 0 ? endBlock() : nil
    case .reset: return reset(id, payload)
    case .settings: return settings(flags, id, payload)
    case .ping: return ping(flags, id, payload)
    case .goAway:
      if id != 0 || payload.count < 8 { violate("a malformed GOAWAY") }
      if FrameBytes.number(in: payload, at: 0, 4) & 1 == 1 { violate("GOAWAY names a stream of the client's own") }
      hasGoneAway = true
      return .goAway(
        code: FrameBytes.number(in: payload, at: 4, 4), text: String(decoding: payload.dropFirst(8), as: UTF8.self))
    case .windowUpdate: windowUpdate(id, payload)
    case .priority: violate("PRIORITY")
    case .pushPromise: violate("PUSH_PROMISE")
    case nil: violate("frame type \(type)")
    }
    return nil
  }

  private func headers(_ flags: UInt8, _ id: Int, _ payload: [UInt8]) -> Event? {
    if hasGoneAway { violate("HEADERS on \(id) after the client's GOAWAY") }
    if serverHasGoneAway { violate("HEADERS on \(id) after the server's GOAWAY") }
    if id & 1 == 0 || id <= highest { violate("HEADERS on \(id) after \(highest)") }
    highest = max(highest, id)
    if let most = limits.maxConcurrentStreams {
      let open = openStreams.count
      if open >= most { violate("HEADERS on \(id) with \(open) streams open of \(most) allowed") }
    }
    streams[id] = Stream(window: limits.initialWindow)
    block = (id, payload, flags & FrameFlags.endStream != 0)
    return flags & FrameFlags.endHeaders != 0 ? endBlock() : nil
  }

  private func endBlock() -> Event? {
    guard let (id, bytes, endStream) = block else { return nil }
    block = nil
    if endStream { streams[id]?.isEndedByClient = true }
    let fields = inflate(bytes)
    for name in [":method", ":scheme", ":path", "te", "content-type"] where !fields.contains(where: { $0.name == name })
    {
      violate("HEADERS without \(name)")
    }
    if fields.contains(where: { $0.name.lowercased() != $0.name }) { violate("a name with capitals") }
    return .headers(stream: id, fields: fields, endStream: endStream)
  }

  private func inflate(_ block: [UInt8]) -> [Field] {
    var fields: [Field] = []
    var start = 0
    while true {
      var field = nghttp2_nv()
      var flags: Int32 = 0
      let used = block.withUnsafeBufferPointer { bytes in
        nghttp2_hd_inflate_hd2(
          inflater, &field, &flags, bytes.baseAddress.map { $0 + start }, bytes.count - start, 1)
      }
      if used < 0 {
        violate("a header block that cannot be decoded")
        return fields
      }
      start += used
      if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
        fields.append(
          (
            String(decoding: UnsafeBufferPointer(start: field.name, count: field.namelen), as: UTF8.self),
            String(decoding: UnsafeBufferPointer(start: field.value, count: field.valuelen), as: UTF8.self)
          ))
      }
      if flags & Int32(NGHTTP2_HD_INFLATE_FINAL.rawValue) != 0 {
        nghttp2_hd_inflate_end_headers(inflater)
        return fields
      }
    }
  }

  private func data(_ flags: UInt8, _ id: Int, _ payload: [UInt8]) -> Event? {
    let endStream = flags & FrameFlags.endStream != 0
    guard let stream = streams[id] else {
      violate("DATA on idle stream \(id)")
      return nil
    }
    if stream.isEndedByClient || stream.isResetByClient || stream.isResetByServer {
      violate("DATA on closed stream \(id)")
    }
    if payload.isEmpty, !endStream { violate("an empty DATA frame on \(id)") }
    if payload.count > 0, payload.count > stream.window { violate("DATA past the window of stream \(id)") }
    if payload.count > 0, payload.count > window { violate("DATA past the connection's window") }
    window -= payload.count
    streams[id]?.window -= payload.count
    if endStream { streams[id]?.isEndedByClient = true }
    return .data(stream: id, count: payload.count, endStream: endStream)
  }

  private func reset(_ id: Int, _ payload: [UInt8]) -> Event? {
    if payload.count != 4 { violate("RST_STREAM of \(payload.count) bytes") }
    let code = FrameBytes.number(in: payload, at: 0, 4)
    if let stream = streams[id] {
      if stream.isResetByClient { violate("a second RST_STREAM on \(id)") }
      streams[id]?.isResetByClient = true
    } else if id & 1 == 1 || id == 0 {
      violate("RST_STREAM on idle stream \(id)")
    }
    return .reset(stream: id, code: code)
  }

  private func settings(_ flags: UInt8, _ id: Int, _ payload: [UInt8]) -> Event? {
    if id != 0 || payload.count % 6 != 0 { violate("malformed SETTINGS") }
    guard flags & FrameFlags.ack != 0 else {
      hasSettings = true
      return .settings
    }
    guard !unacked.isEmpty else {
      violate("SETTINGS acknowledged that nobody sent")
      return nil
    }
    let next = unacked.removeFirst()
    for id in streams.keys { streams[id]?.window += next.initialWindow - limits.initialWindow }
    limits = next
    return nil
  }

  private func ping(_ flags: UInt8, _ id: Int, _ payload: [UInt8]) -> Event? {
    if id != 0 || payload.count != 8 { violate("a malformed PING") }
    guard flags & FrameFlags.ack != 0 else { return .ping(payload) }
    if let index = unansweredPings.firstIndex(of: payload) {
      unansweredPings.remove(at: index)
    } else {
      violate("a PING answered that nobody sent")
    }
    return nil
  }

  private func windowUpdate(_ id: Int, _ payload: [UInt8]) {
    let increment = FrameBytes.number(in: payload, at: 0, 4)
    if payload.count != 4 || increment == 0 { violate("WINDOW_UPDATE by \(increment) on \(id)") }
    guard id != 0 else { return }
    guard let stream = streams[id] else { return violate("WINDOW_UPDATE on idle stream \(id)") }
    if stream.isResetByClient || stream.isResetByServer { violate("WINDOW_UPDATE on stream \(id), which was reset") }
  }
}
