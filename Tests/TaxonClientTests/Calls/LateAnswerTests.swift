// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import TaxonCalls
import TaxonErrors
import TaxonFixtures
import TaxonProtobuf
import TaxonResilience
import Testing

@testable import TaxonClient

/// Answers that come when the call's time is over, and before its timer has gone off.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct LateAnswerTests {
  /// Does not connect.
  private struct Nowhere: Dialer {
    func dial(
      _ addresses: [SocketAddress], on eventLoop: any EventLoop, timeout: TimeAmount,
      initializer: @escaping @Sendable (any NIOCore.Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any NIOCore.Channel> {
      let promise = eventLoop.makePromise(of: (any NIOCore.Channel).self)
      eventLoop.scheduleTask(in: timeout) { promise.fail(ChannelError.connectTimeout(timeout)) }
      return promise.futureResult
    }
  }

  private func makeChannel() throws -> TaxonClient.Channel {
    try watched(
      TaxonClient.Channel(
        Target("ipv4:127.0.0.1:1"), TaxonClient.Channel.Configuration(policy: .none), dialer: Nowhere()))
  }

  private static let statuses: [(StatusCode, isLate: Bool, StatusCode)] = [
    (.cancelled, true, .deadlineExceeded), (.cancelled, false, .cancelled), (.unavailable, true, .unavailable),
  ]

  /// Ends an attempt as its stream does when the server answers a failure.
  private static func end(_ attempt: Attempt, with code: StatusCode) {
    let (error, notes) = attempt.error(for: ReceivedStatus(code: code))
    attempt.receiveEnd(CallEnd(error: error, notes: notes))
  }

  private func plan(isLate: Bool) -> CallPlan {
    CallPlan(
      path: "/a/B", isIdempotent: false, options: CallOptions(),
      deadline: .now() + (isLate ? .seconds(-1) : .hours(1)))
  }

  @Test(arguments: Self.statuses)
  func cancelledIsTheDeadlineOfAUnaryCallWhoseTimeIsOver(
    _ answer: StatusCode, isLate: Bool, _ expected: StatusCode
  ) async throws {
    let channel = try makeChannel()
    let dispatcher = channel.engine.dispatcher
    let attempt = UnaryAttempt<Google_Protobuf_StringValue, Google_Protobuf_StringValue, RPCError>(
      plan(isLate: isLate), Google_Protobuf_StringValue(), on: dispatcher)
    await withUnsafeContinuation { continuation in
      attempt.caller = continuation
      dispatcher.eventLoop.execute {
        attempt.begin()
        Self.end(attempt, with: answer)
      }
    }
    #expect(attempt.end.error?.status == expected)
    channel.shutDown()
  }

  @Test(arguments: Self.statuses)
  func cancelledIsTheDeadlineOfAStreamingCallWhoseTimeIsOver(
    _ answer: StatusCode, isLate: Bool, _ expected: StatusCode
  ) async throws {
    let channel = try makeChannel()
    let dispatcher = channel.engine.dispatcher
    let status: StatusCode? = await withCheckedContinuation { continuation in
      let call = StreamingCall<Google_Protobuf_StringValue, Google_Protobuf_StringValue, RPCError>(
        sendsManyMessages: true, takesManyMessages: true, compression: nil, intercepted: nil, head: ResponseHead(),
        on: channel.engine
      ) { continuation.resume(returning: $0.error?.status) }
      let attempt = call.makeAttempt(plan(isLate: isLate), nil, wasRefused: false)
      dispatcher.eventLoop.execute {
        attempt.begin()
        Self.end(attempt, with: answer)
      }
    }
    #expect(status == expected)
    channel.shutDown()
  }
}
