// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

extension Answer {
  /// An answer that is no success, or that breaks a rule.
  static func odd(_ many: Bool, _ random: inout RandomSource) -> Answer {
    var answer =
      switch random.number(0...9) {
      case 0, 1: status(&random)
      case 2: http(&random)
      case 3, 4: reset(many, &random)
      case 5: malformedHead(&random)
      case 6: malformedEnd(many, &random)
      case 7, 8: malformedMessage(many, &random)
      default: random.percent(50) ? silence(many, &random) : badFrames(&random)
      }
    answer.ignoresReset = random.percent(50)
    answer.waitsForEnd = random.percent(20)
    if random.percent(50), !answer.steps.isEmpty {
      answer.steps[random.number(0...answer.steps.count - 1)].delay += random.pick([1, 5, 30])
    }
    return answer
  }

  /// A failure as gRPC has it, with oddities in its details.
  private static func status(_ random: inout RandomSource) -> Answer {
    let code = random.pick(StatusCode.allCases.filter { $0 != .ok })
    var answer = Answer(name: "\(code)", expectation: .failure([code]))
    var fields: [Field] = [("grpc-status", "\(code.rawValue)")]
    switch random.number(0...7) {
    case 0: answer.mayBeSilent = true
    case 1: fields.append(("grpc-message", "100% broken %zz %4"))
    case 2: fields.append(("grpc-message", "%ff%fe%00"))
    case 3: fields.append(("grpc-message", String(repeating: "long ", count: 1000)))
    default: fields.append(("grpc-message", "as%20it%20is"))
    }
    switch random.number(0...7) {
    case 0: fields.append(("grpc-status-details-bin", "no*base64"))
    case 1: fields.append(("grpc-status-details-bin", base64(random.bytes(40))))
    case 2, 3:
      let seconds = random.pick([
        0, 1, -1, -5, 60, 10_000_000_000, 315_576_000_000, 315_576_000_001, Int64.max, Int64.min,
        Int64.max / 1_000_000_000,
      ])
      let nanos = random.pick([0, 1, 50_000_000, 999_999_999, -1, Int64(Int32.max), Int64(Int32.min)])
      answer.name += ", RetryInfo \(seconds) s \(nanos) ns"
      fields.append(("grpc-status-details-bin", base64(details(code, seconds, nanos))))
    default: break
    }
    if random.percent(20) {
      let pushback = random.pick(["0", "5", "60000", "-1", "x", "", "99999999999999999999", "2147483647", "1.5"])
      answer.name += ", pushback \(pushback)"
      fields.append(("grpc-retry-pushback-ms", pushback))
    }
    if random.percent(50) {
      answer.addHead(head + fields, endStream: true)
    } else {
      var first = head
      // What the trailers say counts.
      if random.percent(20) { first.append(("grpc-status", "0")) }
      answer.addHead(first)
      answer.addTrailers(fields)
    }
    return answer
  }

  /// google.rpc.Status with RetryInfo.
  private static func details(_ code: StatusCode, _ seconds: Int64, _ nanos: Int64) -> [UInt8] {
    let duration =
      [0x08] + FrameBytes.varint(UInt64(bitPattern: seconds)) + [0x10] + FrameBytes.varint(UInt64(bitPattern: nanos))
    let any =
      FrameBytes.field(1, Array("type.googleapis.com/google.rpc.RetryInfo".utf8))
      + FrameBytes.field(2, FrameBytes.field(1, duration))
    return [0x08, UInt8(code.rawValue)] + FrameBytes.field(3, any)
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    String(decoding: Base64.encode(bytes, isPadded: false), as: UTF8.self)
  }

  /// What no gRPC server says.
  private static func http(_ random: inout RandomSource) -> Answer {
    let status = random.pick([200, 204, 301, 400, 401, 403, 404, 418, 429, 500, 502, 503, 504, 599, 999])
    var answer = Answer(name: "HTTP \(status)", isClientsFinding: true)
    let type = random.pick(["text/html", "application/grpc", "application/json", ""])
    // 200 for gRPC, too, but without a status.
    answer.expectation =
      .failure(status == 200 ? [.unknown, .internalError] : [StatusCode(httpStatus: status)])
    if status != 200 { answer.says = ["\(status)"] }
    var fields: [Field] = [(":status", "\(status)")]
    if !type.isEmpty { fields.append(("content-type", type)) }
    if random.percent(50) {
      answer.addHead(fields, endStream: true)
    } else {
      answer.addHead(fields)
      answer.addData(Array("<html>no gRPC here</html>".utf8), endStream: true)
      // With the right type it is a message that is none.
      if status == 200 { answer.expectation = .failure([.unknown, .internalError, .resourceExhausted]) }
    }
    return answer
  }

  /// What a code of RST_STREAM means (gRPC over HTTP/2, "Errors").
  static func meaning(ofReset code: Int) -> [StatusCode] {
    switch HTTP2ErrorCode(rawValue: UInt32(clamping: code)) {
    case .refusedStream: [.unavailable]
    case .cancel: [.cancelled]
    case .enhanceYourCalm: [.resourceExhausted]
    case .inadequateSecurity: [.permissionDenied]
    case nil, .streamClosed, .http11Required: [.internalError, .unknown]
    default: [.internalError]
    }
  }

  private static func reset(_ many: Bool, _ random: inout RandomSource) -> Answer {
    let code = random.pick(Array(0...13) + [7, 7, 8, 14, 255, 0xffff_ffff])
    var answer = Answer(name: "RST_STREAM \(code)", expectation: .failure(meaning(ofReset: code)))
    if let name = HTTP2ErrorCode(rawValue: UInt32(code)) { answer.says = ["\(name)"] }
    let progress = random.number(0...3)
    if progress > 0 { answer.addHead() }
    if progress > 1 {
      answer.messages = [[1, 2, 3]]
      answer.addData(framed([1, 2, 3]))
    }
    if progress > 2 { answer.addData([0, 0, 0]) }
    answer.name += [" at once", " after the head", " after a message", " in a message"][progress]
    answer.isRefusal = code == 7 && progress == 0
    answer.add { FrameBytes.reset($0, code) }
    return answer
  }

  /// Heads that break a rule of HTTP/2 or of gRPC.
  private static func malformedHead(_ random: inout RandomSource) -> Answer {
    var answer = Answer(name: "", expectation: .failure([.internalError, .unknown]), isClientsFinding: true)
    var fields = head
    var endStream = random.percent(30)
    switch random.number(0...15) {
    case 0:
      answer.name = "no :status"
      fields.removeFirst()
    case 1:
      answer.name = "two :status"
      fields.insert((":status", "200"), at: 0)
    case 2:
      answer.name = ":status abc"
      fields[0].value = random.pick(["abc", "", "20", "2000", "-20"])
    case 3:
      answer.name = "a pseudo-header behind a field"
      fields.reverse()
    case 4:
      answer.name = "a name with capitals"
      fields.append(("X-Upper", "1"))
    case 5:
      answer.name = "a field of a connection"
      fields.append(random.pick([("connection", "close"), ("transfer-encoding", "chunked"), ("upgrade", "h2c")]))
    case 6:
      answer.name = "an unknown pseudo-header"
      fields.insert((":path", "/"), at: 1)
    case 7:
      answer.name = "101"
      fields[0].value = "101"
      endStream = false
    case 8:
      answer.name = "1xx that ends the stream"
      fields = [(":status", "100")]
      endStream = true
    case 9:
      answer.name = "a wrong type"
      fields[1].value = random.pick(["text/plain", "application/grpcx", "application/grpc-web", ""])
    case 10:
      answer.name = "an unknown encoding"
      answer.expectation = .failure([.internalError, .unimplemented])
      answer.says = ["zstd"]
      endStream = false
      fields.append(("grpc-encoding", "zstd"))
    case 11:
      answer.name = "a large head"
      answer.expectation = .failure([.resourceExhausted])
      for index in 0..<10 { fields.append(("x-large-\(index)", String(repeating: "x", count: 2000))) }
    case 12:
      answer.name = "a wrong content-length"
      fields.append(("content-length", random.pick(["1", "100000", "-1", "x"])))
      endStream = true
    case 13:
      answer.name = "an odd name"
      fields.append((random.pick(["", "a b", "a\u{0}", "ü", "(x)"]), "1"))
    case 14:
      answer.name = "an odd value"
      fields.append(("x", random.pick(["a\u{0}b", "a\nb", "a\rb"])))
    default:
      answer.name = "two heads"
      answer.addHead()
      fields = random.percent(50) ? head : [("grpc-status", "0")]
      endStream = false
    }
    if endStream { answer.name += ", ending the stream" }
    answer.addHead(fields, endStream: endStream)
    return answer
  }

  /// Ends that break a rule.
  private static func malformedEnd(_ many: Bool, _ random: inout RandomSource) -> Answer {
    var answer = Answer(name: "", expectation: .failure([.internalError, .unknown]), isClientsFinding: true)
    let withMessage = random.percent(60)
    answer.addHead()
    if withMessage {
      answer.messages = [[7]]
      answer.addData(framed([7]))
    }
    switch random.number(0...8) {
    case 0:
      answer.name = "no grpc-status"
      answer.addTrailers([("grpc-message", "nothing")])
    case 1:
      answer.name = "an odd grpc-status"
      answer.expectation = .failure([.unknown])
      answer.addTrailers([("grpc-status", random.pick(["", "-1", "17", "99", "x", "1.0", "99999999999", "+1"]))])
    case 2:
      answer.name = "END_STREAM on DATA"
      answer.addData([], endStream: true)
    case 3:
      answer.name = "no message but OK"
      answer.steps = [answer.steps[0]]
      answer.messages = []
      answer.expectation = many ? .success : .failure([.unimplemented])
      answer.addTrailers()
    case 4:
      answer.name = "OK at once"
      answer.steps = []
      answer.messages = []
      answer.expectation = many ? .success : .failure([.unimplemented])
      answer.addHead(head + [("grpc-status", "0")], endStream: true)
    case 5:
      answer.name = "trailers with a pseudo-header"
      answer.addTrailers([(":status", "200"), ("grpc-status", "0")])
    case 6:
      answer.name = "large trailers"
      answer.expectation = .failure([.resourceExhausted])
      answer.addTrailers(
        [("grpc-status", "5")] + (0..<10).map { ("x-large-\($0)", String(repeating: "x", count: 2000)) })
    case 7:
      answer.name = "trailers that end nothing"
      answer.addHead([("grpc-status", "0")])
    default:
      answer.name = "DATA behind the trailers"
      answer.expectation = .failure([.aborted])
      answer.isClientsFinding = false
      answer.addTrailers([("grpc-status", "10"), ("grpc-message", "over")])
      answer.add(delay: 1, mayEndConnection: true) { FrameBytes.data($0, [1, 2, 3]) }
      answer.extraSteps = 1
    }
    return answer
  }

  /// Messages that break a rule.
  private static func malformedMessage(_ many: Bool, _ random: inout RandomSource) -> Answer {
    var answer = Answer(name: "", expectation: .failure([.internalError]), isClientsFinding: true)
    var head = head
    let isFirst = !many || random.percent(50)
    if !isFirst { answer.messages = [[9, 9]] }
    var data = isFirst ? [] : framed([9, 9])
    var endsWell = random.percent(50)
    switch random.number(0...9) {
    case 0:
      answer.name = "inside a message"
      data += framed(random.bytes(50)).dropLast(random.number(1...54))
      endsWell = true
    case 1:
      answer.name = "inside a message, with an error"
      answer.expectation = .failure([.notFound])
      answer.isClientsFinding = false
      data += framed(random.bytes(50)).dropLast(random.number(1...54))
      let bytes = data
      answer.addHead(head)
      answer.addData(bytes)
      answer.addTrailers([("grpc-status", "5"), ("grpc-message", "gone")])
      return answer
    case 2:
      answer.name = "an odd flag"
      data += FrameBytes.message([], flag: random.pick([2, 3, 128, 255]))
    case 3:
      answer.name = "compressed without an encoding"
      data += FrameBytes.message([1, 2, 3], flag: 1)
    case 4:
      answer.name = "broken gzip"
      head.append(("grpc-encoding", "gzip"))
      data += FrameBytes.message(random.percent(50) ? random.bytes(30) : [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], flag: 1)
    case 5:
      answer.name = "a bomb"
      head.append(("grpc-encoding", "gzip"))
      answer.expectation = .failure([.resourceExhausted])
      data += bomb
    case 6:
      answer.name = "too long"
      answer.expectation = .failure([.resourceExhausted])
      let size = random.pick([DialogueScript.maxMessageSize + 1, 1 << 24, 0x7fff_ffff, 0xffff_ffff])
      data += [0] + FrameBytes.number(size, 4) + [1, 2, 3]
    case 7:
      answer.name = "no protobuf"
      data += FrameBytes.message(random.pick([[0x0a], [0x0a, 5, 1], [0xff], [0x0b, 0x0c, 0x00]]))
    default:
      guard !many else { return malformedMessage(many, &random) }
      answer.name = "a second message"
      answer.expectation = .failure([.unimplemented])
      data += framed([1]) + framed([2])
    }
    answer.addHead(head)
    let bytes = data
    if random.percent(30) {
      answer.addData(Array(bytes.prefix(3)))
      answer.addData(Array(bytes.dropFirst(3)), delay: random.pick([0, 2]))
    } else {
      answer.addData(bytes)
    }
    if endsWell { answer.addTrailers() }
    return answer
  }

  /// A mebibyte of zeros.
  private static let bomb = gzip.map { compressed([UInt8](repeating: 0, count: 1 << 20), by: $0) } ?? []

  private static func silence(_ many: Bool, _ random: inout RandomSource) -> Answer {
    var answer = Answer(name: "silence", expectation: .nothing)
    let progress = random.number(0...2)
    if progress > 0 { answer.addHead() }
    if progress > 1 {
      answer.messages = [[4]]
      answer.addData(framed([4]))
    }
    return answer
  }

  /// Frames for which the client may reset the stream or end the connection.
  private static func badFrames(_ random: inout RandomSource) -> Answer {
    var answer = Answer(
      name: "", expectation: .failure([.internalError, .unknown, .unavailable, .resourceExhausted]),
      isClientsFinding: true)
    if random.percent(50) { answer.addHead() }
    let payload: (type: FrameType, flags: UInt8, bytes: [UInt8])
    switch random.number(0...8) {
    case 0:
      answer.name = "DATA before HEADERS"
      answer.steps = []
      payload = (.data, 0, framed([1]))
    case 1:
      answer.name = "WINDOW_UPDATE 0"
      payload = (.windowUpdate, 0, [0, 0, 0, 0])
    case 2:
      answer.name = "WINDOW_UPDATE past 2^31"
      payload = (.windowUpdate, 0, [0x7f, 0xff, 0xff, 0xff])
    case 3:
      answer.name = "WINDOW_UPDATE of 3 bytes"
      payload = (.windowUpdate, 0, [0, 0, 1])
    case 4:
      answer.name = "RST_STREAM of 5 bytes"
      payload = (.reset, 0, [0, 0, 0, 8, 0])
    case 5:
      answer.name = "DATA with more padding than bytes"
      payload = (.data, FrameFlags.padded, [200, 1, 2, 3])
    case 6:
      answer.name = "a block that is no HPACK"
      payload = (
        .headers, FrameFlags.endHeaders, random.pick([[0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0x80], [0x00, 0x85]])
      )
    case 7:
      answer.name = "CONTINUATION"
      payload = (.continuation, FrameFlags.endHeaders, FrameBytes.block(head))
    default:
      answer.name = "HEADERS without an end, then DATA"
      answer.add(mayEndConnection: true) { FrameBytes.frame(.headers, stream: $0, FrameBytes.block(head)) }
      payload = (.data, 0, [])
    }
    answer.add(mayEndConnection: true) {
      FrameBytes.frame(payload.type, flags: payload.flags, stream: $0, payload.bytes)
    }
    return answer
  }
}
