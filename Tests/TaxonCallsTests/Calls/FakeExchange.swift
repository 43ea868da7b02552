// SPDX-License-Identifier: Apache-2.0
import CNghttp2

@testable import TaxonCalls
@testable import TaxonTransport

/// A transport that is none: keeps what a call says, and lets a test say what comes.
final class FakeExchange: HTTPExchange {
  var isFullDuplex: Bool { true }
  /// What a call has said, in its order.
  enum Event: Equatable {
    case head([String])
    case headersOnly([String])
    case body([UInt8])
    case end([String])
    case reset(HTTP2ErrorCode)
    case resetWhenAnswered
  }

  private(set) var events: [Event] = []
  private(set) var consumed = 0
  private(set) var messages = 0
  var isWritable = true
  private(set) var wantsNotice = false
  private(set) var isFinished = false
  var hasUnsentBody = false
  var ledger: ConnectionLedger? = ConnectionLedger()

  func sendHead(_ head: HeaderBlock) { events.append(.head(Self.text(head))) }
  func sendHeadersOnly(_ head: HeaderBlock) {
    isFinished = true
    events.append(.headersOnly(Self.text(head)))
  }
  func send(contentsOf buffer: inout OutboundBuffer) {
    var bytes = [UInt8](repeating: 0, count: buffer.count)
    _ = bytes.withUnsafeMutableBytes { buffer.read(into: $0) }
    events.append(.body(bytes))
  }
  func finish(trailers: HeaderBlock?) {
    isFinished = true
    events.append(.end(trailers.map(Self.text) ?? []))
  }
  func takeSpareMemory() -> UnsafeMutableRawBufferPointer? { nil }

  func consume(_ count: Int) { consumed += count }
  func completedMessage() { messages += 1 }
  func notifyWhenWritable() { wantsNotice = true }
  func announce(_ count: Int) {}
  var mustWaitToStart = false
  var isConnectionFull = false
  var waitsForStart = false
  var isBlocked: Bool { false }

  func reset(_ code: HTTP2ErrorCode) { events.append(.reset(code)) }
  func resetWhenAnswered() { events.append(.resetWhenAnswered) }
  var hasSentBody: Bool { false }
  func takeBack(into buffer: inout OutboundBuffer) {}
  var owner: AnyObject? { nil }
  func assertOnLoop() {}

  /// Fields as "name: value", without those of an error's details.
  private static func text(_ block: HeaderBlock) -> [String] {
    block.fields.map { field in
      let name = UnsafeBufferPointer(start: field.name, count: field.namelen)
      let value = UnsafeBufferPointer(start: field.value, count: field.valuelen)
      return "\(String(decoding: name, as: UTF8.self)): \(String(decoding: value, as: UTF8.self))"
    }
  }
}

extension HTTPExchangeReceiver {
  /// A header block comes.
  func receive(_ fields: [(String, String)], endStream: Bool = false) {
    for (name, value) in fields {
      var (name, value) = (name, value)
      name.withUTF8 { name in value.withUTF8 { received(name: name, value: $0) } }
    }
    receivedHeaders(endStream: endStream)
  }

  /// A piece of the body comes.
  func receive(_ bytes: [UInt8], isLast: Bool = false) {
    bytes.withUnsafeBytes { received(data: $0, isLast: isLast) }
    if isLast { receivedEnd() }
  }
}
