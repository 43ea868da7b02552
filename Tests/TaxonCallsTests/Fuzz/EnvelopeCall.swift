// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonErrors
import TaxonProtobuf

@testable import TaxonCalls
@testable import TaxonTransport

/// What a call answers.
struct EnvelopeEnd {
  /// The call fails, with this for its message.
  var failure: String?
  var trailing = Metadata()
  /// Whether answers are compressed; nil: as the server is set.
  var compresses: Bool?
}

/// Keeps the messages that come, and answers with each of them.
final class EnvelopeRouter: ServerRouter, @unchecked Sendable {  // used on one thread
  let end: EnvelopeEnd
  /// Messages wait to be read.
  let holds: Bool
  private(set) var messages: [[UInt8]] = []
  private(set) var endings = 0
  private(set) var cancels = 0
  private(set) var failures: [any TaxonomyError] = []
  private var waiting: [(stream: ServerStream, kept: KeptBytes)] = []

  init(_ end: EnvelopeEnd, holds: Bool) {
    self.end = end
    self.holds = holds
  }

  func method(_ path: String) -> (any ServerMethod)? {
    switch path {
    case "/f/Unary": Method(router: self, shape: .unary)
    case "/f/Up": Method(router: self, shape: MethodShape(takesMany: true, answersMany: false))
    case "/f/Down": Method(router: self, shape: MethodShape(takesMany: false, answersMany: true))
    case "/f/Both": Method(router: self, shape: MethodShape(takesMany: true, answersMany: true))
    default: nil
    }
  }

  func failed(_ error: any TaxonomyError, failure: CallFailure, path: String) { failures.append(error) }

  /// A message that waited is read.
  func read() -> Bool {
    guard !waiting.isEmpty else { return false }
    let (stream, kept) = waiting.removeFirst()
    stream.read(kept)
    return true
  }

  private func receive(_ message: UnsafeRawBufferPointer, size: Int, _ stream: ServerStream) -> KeptBytes {
    precondition(endings == 0 && cancels == 0, "a message behind the end")
    messages.append(Array(message))
    guard holds else { return .none }
    let kept = KeptBytes(window: size, memory: message.count + 64)
    waiting.append((stream, kept))
    return kept
  }

  private func answer(_ stream: ServerStream, _ shape: MethodShape) {
    let answers = messages.map { Google_Protobuf_BytesValue(value: $0) }
    do throws(RPCError) {
      guard shape != .unary else {
        if let failure = end.failure { throw RPCError(.notFound, failure) }
        return try stream.reply(
          answers.first ?? Google_Protobuf_BytesValue(), compress: end.compresses, initial: Metadata(),
          trailing: end.trailing)
      }
      let settings = stream.compression(wish: end.compresses)
      var framer = MessageFramer(settings, codec: stream.codec, framing: stream.framing)
      if end.failure == nil || !answers.isEmpty { stream.sendHead(Metadata(), compression: settings?.compression) }
      for answer in answers { try stream.exchange.send(answer, compress: end.compresses, by: &framer) }
      if let failure = end.failure { throw RPCError(.notFound, failure) }
      stream.succeed(trailing: end.trailing)
    } catch {
      stream.fail(error, trailing: HeaderBlock.Field.fields(of: end.trailing))
    }
  }

  final class Method: ServerMethod {
    let router: EnvelopeRouter
    let shape: MethodShape
    var isSafe: Bool { true }

    init(router: EnvelopeRouter, shape: MethodShape) {
      self.router = router
      self.shape = shape
    }

    func begin(_ stream: ServerStream) -> (any ServerCall)? { shape.takesMany ? Call(self, stream) : nil }

    func begin(
      _ stream: ServerStream, with message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
    ) -> (call: any ServerCall, kept: KeptBytes) {
      let call = Call(self, stream)
      return (call, call.receive(message, size: size, isCompressed: isCompressed))
    }
  }

  final class Call: ServerCall {
    private let method: Method
    private let stream: ServerStream

    init(_ method: Method, _ stream: ServerStream) {
      self.method = method
      self.stream = stream
    }

    func becameWritable() {}

    func receive(_ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool) -> KeptBytes {
      method.router.receive(message, size: size, stream)
    }

    func receiveEnd() {
      precondition(method.router.endings == 0 && method.router.cancels == 0, "a second end")
      method.router.endings += 1
      method.router.answer(stream, method.shape)
    }

    func cancel(_ error: RPCError) {
      precondition(method.router.cancels == 0, "a call is cancelled twice")
      method.router.cancels += 1
    }
  }
}

/// What has become of one request.
struct EnvelopeOutcome {
  let router: EnvelopeRouter
  let exchange: FakeExchange

  /// Messages of at most so many bytes.
  static let limit = 1000

  var messages: [[UInt8]] { router.messages }
  /// The request was refused, or what came of it was.
  var isFaulty: Bool { !router.failures.isEmpty }

  /// Sends a request.
  ///
  /// - Parameters:
  ///   - cuts: Sizes of the pieces in which the body comes; its last is the size of all that follow.
  init(
    _ head: [(String, String)], _ body: [UInt8], cuts: [Int], end: EnvelopeEnd = EnvelopeEnd(), holds: Bool = false
  ) {
    let loop = EmbeddedEventLoop()
    router = EnvelopeRouter(end, holds: holds)
    exchange = FakeExchange()
    var limits = ServerCallLimits()
    limits.maxMessageSize = Self.limit
    limits.compression = CompressionSettings(.gzip, minimumSize: 20)
    var bounds = LedgerLimits()
    bounds.received = holds ? 400 : 1 << 20
    let ledger = ConnectionLedger(bounds)
    let context = ServerStreamContext(
      executor: LoopExecutor(loop), peer: "fuzz", router: router, limits: limits, ledger: ledger)
    let stream = ServerStream(exchange, context: context)
    let hasBody = !cuts.isEmpty
    stream.receive(head, endStream: !hasBody)
    var (rest, cuts) = (body[...], cuts[...])
    while !rest.isEmpty {
      let piece = rest.prefix(max(1, cuts.first ?? rest.count))
      if cuts.count > 1 { cuts.removeFirst() }
      rest = rest.dropFirst(piece.count)
      stream.receive(Array(piece))
      // Now and then a message is read meanwhile.
      if holds, piece.count % 3 == 0 { _ = router.read() }
    }
    if hasBody { stream.receivedEnd() }
    while router.read() {}
    let isOver = exchange.isFinished
    precondition(isOver, "a request has no answer")
    if hasBody, !isFaulty { precondition(exchange.consumed == body.count, "a body is not consumed") }
    stream.closed(errorCode: 0)
    precondition(router.cancels == 0 || isFaulty, "a call that is over is cancelled")
    precondition(ledger.received == 0 && context.aliveCalls == 0, "something is left of a call")
    for error in router.failures {
      precondition(error.code != "INTERNAL_ERROR" && !error.message.isEmpty, "a fault that says nothing")
    }
    precondition(router.failures.count <= 1 && router.endings <= 1, "two ends")
    // Timers of calls that are over do nothing.
    loop.advanceTime(to: .distantFuture)
  }
}
