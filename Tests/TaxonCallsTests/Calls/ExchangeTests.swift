// SPDX-License-Identifier: Apache-2.0
import NIOEmbedded
import TaxonErrors
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

/// Calls on a transport that is none: what they make of heads and bytes, whichever version of HTTP carries them.
@Suite struct ExchangeTests {
  private let exchange = FakeExchange()
  private let router = EchoRouter()
  private let loop = EmbeddedEventLoop()

  private func serverCall() -> ServerStream {
    ServerStream(
      exchange,
      context: ServerStreamContext(
        executor: LoopExecutor(loop), peer: "test", router: router, limits: ServerCallLimits()))
  }

  private static let request = [(":method", "POST"), (":path", "/echo/Echo"), ("content-type", "application/grpc")]
  private static let okHead = [":status: 200", "content-type: application/grpc"]

  @Test func aServersCallAnswersHeadMessageAndEnd() {
    let call = serverCall()
    call.receive(Self.request)
    call.receive([0, 0, 0, 0, 2, 7], isLast: false)
    #expect(exchange.events == [])
    call.receive([8], isLast: true)
    #expect(
      exchange.events == [
        .head(Self.okHead), .body([0, 0, 0, 0, 2, 7, 8]), .end(["grpc-status: 0", "x-echo: yes"]),
      ])
    #expect(exchange.messages == 1)
    call.closed(errorCode: 0)
    #expect(router.cancelled == 0)
  }

  @Test func whatIsNotGRPCIsAnsweredByHTTP() {
    let call = serverCall()
    call.receive([(":method", "GET"), (":path", "/echo/Echo"), ("content-type", "text/html")], endStream: true)
    guard case .body? = exchange.events.first, case .head(let head)? = exchange.events.last else {
      return #expect(Bool(false), "\(exchange.events)")
    }
    #expect(head.contains(":status: 405"))
    #expect(head.contains("allow: POST"))
    #expect(exchange.isFinished)
  }

  @Test func aCallThatFailsBeforeItsRequestHasEndedIsAnsweredAndItsPeerStopped() {
    let call = serverCall()
    call.receive([(":method", "POST"), (":path", "/echo/None"), ("content-type", "application/grpc")])
    // The body and its end are there when the head is sent, and go with it.
    guard exchange.events.count == 3, case .end(let trailers) = exchange.events[0] else {
      return #expect(Bool(false), "\(exchange.events)")
    }
    #expect(trailers.contains("grpc-status: 12"))
    #expect(exchange.events[1...] == [.head(Self.okHead), .resetWhenAnswered])
    #expect(router.failures == ["METHOD_NOT_FOUND"])
  }

  @Test func aResetCancelsTheServersCall() {
    let call = serverCall()
    call.receive([(":method", "POST"), (":path", "/echo/Wait"), ("content-type", "application/grpc")])
    call.receive([0, 0, 0, 0, 0], isLast: true)
    call.receivedReset()
    call.closed(errorCode: 8)
    #expect(router.cancelled == 1)
    #expect(exchange.events == [])
  }

  /// What is answered at once would be asked again at once, and keep the loop busy.
  @Test(arguments: [true, false])
  func callsThatWaitForTheirOwnConnectionAskTheOthersForNothing(isConnectionFull: Bool) {
    let ledger = ConnectionLedger(
      LedgerLimits(), shared: SharedLedger(received: 1 << 20, sent: 1 << 20), eventLoop: loop)
    let context = ServerStreamContext(
      executor: LoopExecutor(loop), peer: "test", router: router, limits: ServerCallLimits(), ledger: ledger)
    exchange.mustWaitToStart = true
    exchange.isConnectionFull = isConnectionFull
    var told = 0
    ledger.hasRoom = { [weak context] in
      told += 1
      if told < 10 { context?.wakeWaiting() }
    }
    var hasStarted = false
    let call = ServerStream(exchange, context: context)
    call.start { hasStarted = true }
    loop.run()
    #expect(told == (isConnectionFull ? 0 : 10))
    #expect(!hasStarted)
    // The connection's owner says that there is room.
    exchange.mustWaitToStart = false
    context.wakeWaiting()
    #expect(hasStarted)
    call.closed(errorCode: 0)
  }

  // MARK: The client's side

  private func clientCall() -> (stream: ClientStream, call: ClientDialogue.Call) {
    let call = ClientDialogue.Call()
    let stream = ClientStream(
      exchange, call: call, takesManyMessages: false, maxMessageSize: 100, maxHeaderListSize: 1000)
    return (stream, call)
  }

  @Test func aClientsCallEndsWithWhatTheTrailersSay() {
    let (stream, call) = clientCall()
    stream.receive([(":status", "200"), ("content-type", "application/grpc")])
    stream.receive([0, 0, 0, 0, 1, 5])
    #expect(exchange.consumed == 6)
    stream.receive([("grpc-status", "5"), ("grpc-message", "no such thing")], endStream: true)
    stream.closed(errorCode: 0)
    #expect(call.ends.count == 1)
    #expect(call.failure?.status == .notFound)
    #expect(call.failure?.text == "no such thing")
    #expect(exchange.events == [])
  }

  @Test func anAnswerThatIsTooLargeIsStopped() {
    exchange.hasUnsentBody = true
    let (stream, call) = clientCall()
    stream.receive([(":status", "200"), ("content-type", "application/grpc")])
    stream.receive([0, 0, 0, 1, 0])
    #expect(call.end?.error?.code == "MESSAGE_TOO_LARGE")
    #expect(exchange.events.first == .reset(.cancel))
    stream.closed(errorCode: 8)
    #expect(call.ends.count == 1)
  }
}
