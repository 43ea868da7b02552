// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonCalls
import TaxonFixtures
import TaxonTesting
import Testing

/// What a channel does about the times that a server sends.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct RetryHintCallTests {
  private static func details(_ delay: Google_Protobuf_Duration) throws -> String {
    let info = try Google_Rpc_RetryInfo(retryDelay: delay).encoded()
    let status = Google_Rpc_Status(
      code: StatusCode.unavailable.rawValue,
      details: [.init(typeURL: "type.googleapis.com/google.rpc.RetryInfo", value: info)])
    return String(decoding: Base64.encode(try status.encoded(), isPadded: false), as: UTF8.self)
  }

  /// Calls an idempotent method that always fails with these trailers; when each attempt began, and the error.
  private func attempts(
    _ fields: [(String, String)], timeout: Duration? = nil
  ) async throws -> (gaps: [Duration], error: ConnectionError?) {
    let clock = ManualClock()
    let times = Locked<[Duration]>([])
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      times.withLock { $0.append(clock.now.time) }
      stream.end(.unavailable, fields)
    }
    let policy = CallPolicy(retry: RetryPolicy(maxRetries: 3), breaker: nil)
    let channel = try watched(Channel("127.0.0.1:\(server.port)", configuration: quietly(policy) { $0.clock = clock }))
    let error = await channel.failure("x", TextService.repeatable, options: CallOptions(timeout: timeout))
    channel.shutDown()
    await server.close()
    let began = times.withLock { $0 }
    return (zip(began.dropFirst(), began).map { $0 - $1 }, error)
  }

  @Test func aHintGrowsAndHasJitter() async throws {
    let (gaps, error) = try await attempts([
      ("grpc-status-details-bin", try Self.details(.init(nanos: 100_000_000)))
    ])
    #expect(gaps.count == 3)
    for (gap, least) in zip(gaps, [100, 200, 400]) {
      #expect(gap >= .milliseconds(least) && gap <= .milliseconds(least * 3 / 2 + 1))
    }
    #expect(error?.retryAfter == .milliseconds(100))
  }

  @Test(arguments: [Google_Protobuf_Duration(), .init(seconds: -5), .init(seconds: .min, nanos: .min)])
  func noTimeIsNoHint(_ delay: Google_Protobuf_Duration) async throws {
    let (gaps, error) = try await attempts([("grpc-status-details-bin", try Self.details(delay))])
    #expect(gaps.count == 3)
    for (gap, most) in zip(gaps, [1, 2, 4]) { #expect(gap >= .milliseconds(most * 500) && gap <= .seconds(most)) }
    #expect(error?.retryAfter == nil)
  }

  @Test(arguments: [
    Google_Protobuf_Duration(seconds: 61), .init(seconds: 10_000_000_000), .init(seconds: .max, nanos: .max),
  ])
  func aHintBeyondTheLongestPauseEndsTheCallWithTheServersError(_ delay: Google_Protobuf_Duration) async throws {
    let (gaps, error) = try await attempts([("grpc-status-details-bin", try Self.details(delay))])
    #expect(gaps.isEmpty)
    #expect(error?.status == .unavailable)
    #expect(error?.retryAfter == Duration(delay))
  }

  @Test func aHintBeyondTheDeadlineEndsTheCallWithTheServersError() async throws {
    let (gaps, error) = try await attempts(
      [("grpc-status-details-bin", try Self.details(.init(seconds: 50)))], timeout: .seconds(20))
    #expect(gaps.isEmpty)
    #expect(error?.status == .unavailable)
    #expect(error?.retryAfter == .seconds(50))
  }

  @Test(arguments: [
    ("0", [Duration.zero, .zero, .zero]), ("250", [.milliseconds(250), .milliseconds(250), .milliseconds(250)]),
    ("-1", []), ("soon", []), ("2147483647", []), ("9223372036854775807", []),
  ])
  func aPushbackIsAsTheServerSays(_ pushback: String, _ expected: [Duration]) async throws {
    let (gaps, error) = try await attempts([("grpc-retry-pushback-ms", pushback)])
    #expect(gaps == expected)
    #expect(error?.status == .unavailable)
  }

  @Test func aRetryAfterIsAHint() async throws {
    let (gaps, error) = try await attempts([("retry-after", "2")])
    #expect(gaps.first.map { $0 >= .seconds(2) && $0 <= .seconds(3) } == true)
    #expect(error?.retryAfter == .seconds(2))
    #expect(try await attempts([("retry-after", "99999999999999999999")]).gaps.isEmpty)
  }

  /// The upstream's time goes from a handler's error into the answer.
  @Test func aRelayPassesAnyTimeOn() async throws {
    let upstream = try await WireServer { stream, event in
      guard event == .end, let details = try? Self.details(.init(seconds: .max, nanos: .max)) else { return }
      stream.end(.unavailable, [("grpc-status-details-bin", details)])
    }
    let behind = try watched(Channel("127.0.0.1:\(upstream.port)", configuration: quietly()))
    try await withServer { text, _ in
      do throws(ConnectionError) {
        return try await behind.text(text)
      } catch {
        throw ConnectionError.connectionLost(endpoint: "x", error: "y", retryAfter: error.retryAfter)
      }
    } test: { target, _ in
      let channel = try watched(Channel(target, configuration: quietly()))
      let error = await channel.failure()
      #expect(error?.code == "CONNECTION_LOST")
      #expect(error?.retryAfter == Duration(Google_Protobuf_Duration(seconds: .max, nanos: .max)))
      channel.shutDown()
    }
    behind.shutDown()
    await upstream.close()
  }

  @Test(arguments: [Duration.seconds(1e20), .seconds(Int64.max)])
  func anyTimeoutIsOne(_ timeout: Duration) async throws {
    try await withServer { text, context in
      context.deadline == nil ? "no deadline" : text
    } test: { target, _ in
      let channel = try watched(Channel(target, configuration: quietly()))
      #expect(try await channel.text("x", options: CallOptions(timeout: timeout)) == "x")
      let past = await channel.failure(options: CallOptions(timeout: .zero - timeout))
      #expect(past?.code == "DEADLINE_EXCEEDED")
      channel.shutDown()
    }
  }
}
