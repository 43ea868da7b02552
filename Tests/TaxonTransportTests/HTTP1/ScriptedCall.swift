// SPDX-License-Identifier: Apache-2.0
import NIOCore

@testable import TaxonTransport

/// A call of an `HTTP1Dialogue`: keeps what comes, and answers as the test says.
final class ScriptedCall: HTTPExchangeReceiver {
  /// What has come of the request.
  enum Step {
    /// The head; a request without a body ends with it.
    case head
    /// A piece of the body.
    case body
    /// The end of the body.
    case end
  }

  let exchange: HTTP1Exchange
  private let script: (ScriptedCall, Step) -> Void
  private(set) var fields: [(name: String, value: String)] = []
  private(set) var body: [UInt8] = []
  private(set) var hasEnded = false
  /// The code with which the exchange has ended.
  private(set) var code: UInt32?
  /// Whether pieces of the body are consumed as they come.
  var consumes = true
  var mayPause = false
  /// Called when there is room for the answer again.
  var whenWritable: () -> Void = {}

  init(_ exchange: HTTP1Exchange, script: @escaping (ScriptedCall, Step) -> Void) {
    self.exchange = exchange
    self.script = script
  }

  /// The value of a field; nil without it.
  func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
  var path: String { field(":path") ?? "" }

  // MARK: The answer

  /// Answers with a head and a body at once.
  func answer(_ text: String, status: Int = 200, trailers: [HeaderBlock.Field]? = nil) {
    send(text)
    exchange.finish(trailers: trailers.map { HeaderBlock($0) })
    sendHead(status: status)
  }

  func sendHead(status: Int = 200, _ fields: [HeaderBlock.Field] = []) {
    exchange.sendHead(HeaderBlock([.init(":status", "\(status)")] + fields))
  }

  func send(_ text: String) {
    guard !text.isEmpty else { return }
    var text = text
    text.withUTF8 { bytes in exchange.send(bytes.count) { $0.copyMemory(from: UnsafeRawBufferPointer(bytes)) } }
  }

  // MARK: The request

  func received(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) {
    fields.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
  }

  func receivedHeaders(endStream: Bool) {
    hasEnded = endStream
    script(self, .head)
    if endStream { script(self, .end) }
  }

  func received(data: UnsafeRawBufferPointer, isLast: Bool) {
    body += data
    if consumes, !isLast { exchange.consume(data.count) }
    script(self, .body)
  }

  func receivedEnd() {
    hasEnded = true
    script(self, .end)
  }

  func becameWritable() { whenWritable() }

  func closed(errorCode: UInt32) {
    code = errorCode
    whenWritable = {}
  }
}
