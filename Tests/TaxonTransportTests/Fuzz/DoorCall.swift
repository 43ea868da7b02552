// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonTransport

/// What a call does by itself when something of its request comes.
enum DoorBehaviour: UInt8 {
  case waits, answersHead, answersEnd, streams, resetsAtHead, resetsAtEnd, givesUp, hasNoBody, isRefused, answersBody
}

/// How the head of an answer looks.
enum DoorHead {
  case plain, noContent, notModified, ownLength, tooLarge, badBytes
}

/// One call on a connection of HTTP/1.1: keeps what comes, and holds the connection to the order in which it may come.
final class DoorCall: HTTPExchangeReceiver {
  let number: Int
  let exchange: any ServerExchange
  private let behaviour: DoorBehaviour
  private let style: DoorHead
  private let window: Int
  /// What is received is consumed at once.
  private let consumes: Bool

  private(set) var fields: [(name: String, value: String)] = []
  private(set) var hasHead = false
  private(set) var body: [UInt8] = []
  private(set) var hasEnd = false
  /// The code with which the exchange was closed.
  private(set) var code: UInt32?
  /// Bytes of the body that count against the window.
  private(set) var unconsumed = 0

  /// What was answered.
  private(set) var status: Int?
  private(set) var sent: [UInt8] = []
  private(set) var trailers: [String] = []
  private(set) var isFinished = false
  /// The call has ended the exchange by a reset, or the transport has for a block that is too large.
  private(set) var isReset = false
  var mayPause = false

  init(
    _ number: Int, _ exchange: any ServerExchange, _ behaviour: DoorBehaviour, _ style: DoorHead, window: Int,
    consumes: Bool
  ) {
    self.number = number
    self.exchange = exchange
    self.behaviour = behaviour
    self.style = style
    self.window = window
    self.consumes = consumes
  }

  var method: String { fields.first { $0.name == ":method" }?.value ?? "" }
  var path: String { fields.first { $0.name == ":path" }?.value ?? "" }

  // MARK: From the connection

  func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    precondition(!hasHead && code == nil, "a field behind the head")
    fields.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
  }

  func receivedHeaders(endStream: Bool) {
    precondition(!hasHead && code == nil, "a second head")
    precondition(!method.isEmpty && !path.isEmpty, "a head without method and path")
    hasHead = true
    hasEnd = endStream
    switch behaviour {
    case .answersHead, .givesUp: answer()
    case .streams: sendHead()
    case .resetsAtHead: reset(.cancel)
    case .hasNoBody:
      answerHeadOnly()
      giveUp()
    default: break
    }
    if endStream { ended() }
  }

  func received(data: UnsafeRawBufferPointer, isLast: Bool) {
    precondition(hasHead && !hasEnd && code == nil, "a body before the head or behind the end")
    body.append(contentsOf: data)
    unconsumed += data.count
    // Of a body that nobody wants any more, what comes is not waited with.
    precondition(unconsumed <= window || isFinished, "the body goes past the window")
    if isLast { unconsumed -= data.count }
    if consumes { consume(unconsumed) }
    switch behaviour {
    case .streams: send(Array(data))
    case .answersBody:
      answer()
      giveUp()
    default: break
    }
  }

  func receivedEnd() {
    precondition(hasHead && !hasEnd && code == nil, "an end without a beginning, or a second one")
    hasEnd = true
    ended()
  }

  private func ended() {
    switch behaviour {
    case .answersEnd: answer()
    case .streams: finish(["x-end: \(number)"])
    case .resetsAtEnd: reset(.enhanceYourCalm)
    default: break
    }
  }

  func becameWritable() { precondition(code == nil, "an exchange is writable behind its end") }

  func cannotSend(headersOfSize size: Int, isHead: Bool) -> HeaderBlock? {
    guard isHead else {
      isReset = true
      return nil
    }
    (status, sent, trailers, isFinished) = (500, [], [], true)
    return HeaderBlock([.init(":status", "500"), .init("x-call", "\(number)")])
  }

  func closed(errorCode: UInt32) {
    precondition(code == nil, "a second close")
    code = errorCode
  }

  // MARK: To the peer

  var isOpen: Bool { code == nil }

  private var block: HeaderBlock {
    var fields: [HeaderBlock.Field] = [.init("x-call", "\(number)")]
    switch style {
    case .plain: fields.insert(.init(":status", "200"), at: 0)
    case .noContent: fields.insert(.init(":status", "204"), at: 0)
    case .notModified: fields.insert(.init(":status", "304"), at: 0)
    case .ownLength:
      fields.insert(.init(":status", "200"), at: 0)
      fields.append(.init("content-length", "\(body.count)"))
    case .tooLarge:
      fields.insert(.init(":status", "200"), at: 0)
      fields.append(.init("x-large", String(repeating: "x", count: 70_000)))
    case .badBytes:
      fields.insert(.init(":status", "200"), at: 0)
      fields.append(.init("x-bad", "a\r\nx-call: 99\r\n\r\nHTTP/1.1 200 OK\0"))
    }
    return HeaderBlock(fields)
  }

  private var usualStatus: Int {
    switch style {
    case .noContent: 204
    case .notModified: 304
    default: 200
    }
  }

  func sendHead() {
    guard isOpen, status == nil else { return }
    status = usualStatus
    // A head that says how long the body is goes with all of it.
    if style == .ownLength { putAll(body) }
    exchange.sendHead(block)
  }

  func answerHeadOnly() {
    guard isOpen, status == nil, !isFinished, sent.isEmpty, style != .ownLength else { return }
    (status, isFinished) = (usualStatus, true)
    exchange.sendHeadersOnly(block)
  }

  func send(_ bytes: [UInt8]) {
    guard isOpen, !isFinished, style != .ownLength else { return }
    put(bytes)
  }

  private func put(_ bytes: [UInt8]) {
    sent += bytes
    var part = OutboundBuffer()
    part.adopt(exchange.takeSpareMemory())
    part.append(bytes.count) { $0.copyBytes(from: bytes) }
    exchange.send(contentsOf: &part)
  }

  private func putAll(_ bytes: [UInt8]) {
    guard !isFinished else { return }
    isFinished = true
    put(bytes)
    exchange.finish(trailers: nil)
  }

  func finish(_ trailers: [String] = []) {
    guard isOpen, !isFinished, style != .ownLength else { return }
    isFinished = true
    self.trailers = trailers
    let fields = trailers.map { line in
      HeaderBlock.Field(String(line.prefix { $0 != ":" }), String(line.drop { $0 != ":" }.dropFirst(2)))
    }
    exchange.finish(trailers: fields.isEmpty ? nil : HeaderBlock(fields))
  }

  /// Answers with all that came, or with what is still missing of an answer.
  func answer() {
    guard isOpen else { return }
    if style != .ownLength {
      send(body)
      finish()
    }
    sendHead()
    if behaviour == .givesUp { giveUp() }
  }

  /// What the connection's owner asks now and then.
  func look() {
    precondition(exchange.stalls() >= 0 && exchange.waitingCount >= 0, "less than nothing waits")
    precondition(!isOpen || exchange.ledger != nil && exchange.owner != nil, "an open exchange has no connection")
    precondition(!exchange.mustWaitToStart || exchange.isConnectionFull, "a call waits for nothing")
    precondition(exchange.isWritable || exchange.waitingCount > 0, "nothing waits, and there is no room")
  }

  func giveUp() { if !hasEnd { exchange.resetWhenAnswered() } }

  func reset(_ code: HTTP2ErrorCode) {
    guard isOpen else { return }
    isReset = true
    exchange.reset(code)
  }

  func consume(_ count: Int) {
    let count = min(count, unconsumed)
    guard count > 0, isOpen else { return }
    unconsumed -= count
    exchange.consume(count)
  }
}
