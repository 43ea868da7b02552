// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

@testable import TaxonCalls
@testable import TaxonTransport

/// A client's session in conversation with a peer that writes frames byte by byte.
final class ClientDialogue: HTTP2SessionDelegate, ClientStreamDelegate {
  /// Notes what comes of a call.
  final class Call: ClientCall {
    private(set) var messages: [[UInt8]] = []
    private(set) var ends: [CallEnd] = []
    /// Of a call that ended with one.
    private(set) var status: ReceivedStatus?
    var end: CallEnd? { ends.last }

    func receive(initial: Metadata) {}
    func receive(_ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool) -> KeptBytes {
      messages.append(Array(message))
      return .none
    }
    func error(for status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote]) {
      self.status = status
      let received = RPCError.received(status)
      return (received.error, received.notes)
    }
    func receiveEnd(_ end: CallEnd) { ends.append(end) }
    func becameWritable() {}

    /// Status and text of the end; nil: the call goes on, or has succeeded.
    var failure: (status: StatusCode, text: String)? {
      end?.error.map { ($0.status, $0.message) }
    }
  }

  let session: HTTP2Session
  let peer = ScriptedPeer()
  private(set) var goAways: [String] = []

  init(_ configuration: HTTP2Configuration = HTTP2Configuration(), settings: [UInt8] = ScriptedPeer.emptySettings)
    throws
  {
    session = try HTTP2Session(role: .client, configuration: configuration)
    session.delegate = self
    _ = try say(settings)
  }

  /// Opens a stream with one message; nothing leaves before the next `say`.
  func open(many: Bool = false, finished: Bool = true) throws -> (stream: ClientStream, call: Call) {
    let call = Call()
    let exchange = session.makeStream()
    let stream = ClientStream(
      exchange, call: call, takesManyMessages: many, maxMessageSize: 1 << 20, maxHeaderListSize: 16 * 1024)
    exchange.send(5) { $0.copyBytes(from: [0, 0, 0, 0, 0]) }
    if finished { exchange.finish(trailers: nil) }
    try session.submitRequest(
      exchange, to: stream,
      head: HeaderBlock([
        .init(":method", "POST"), .init(":scheme", "http"), .init(":path", "/a/B"), .init(":authority", "x"),
      ]))
    return (stream, call)
  }

  /// Gives the frames to the session, and returns those that it sends.
  @discardableResult func say(_ bytes: [UInt8]...) throws -> [ScriptedPeer.Frame] {
    let outcome = Result { try Array(bytes.joined()).withUnsafeBytes { try session.receive($0) } }
    let output = try drain()
    try outcome.get()
    return output
  }

  func drain() throws -> [ScriptedPeer.Frame] {
    var output: [UInt8] = []
    try session.drain { bytes in
      output += Array(bytes)
      return true
    }
    // The first output begins with the preface.
    if output.starts(with: ScriptedPeer.preface) { output.removeFirst(ScriptedPeer.preface.count) }
    return peer.parse(output)
  }

  func makeReceiver(for exchange: any HTTPExchange) -> (any HTTPExchangeReceiver)? { nil }
  func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {
    goAways.append("\(lastStreamID) \(errorCode)")
  }
  func receivedSettings() {}
  func receivedPingAck(_ payload: UInt64) {}
  private(set) var otherAnswers: [OtherAnswer] = []
  func receivedOtherAnswer(_ answer: OtherAnswer) { otherAnswers.append(answer) }
  func unprocessedError() -> (any TaxonomyError)? { nil }
  func streamClosed() {}
}
