// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonCalls
import TaxonFixtures
import Testing

/// The metadata of answers, and the end of calls that somebody does not want any more.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ResponseMetadataTests {
  private typealias Text = TextService.Text

  private func channel(_ server: WireServer, _ policy: CallPolicy = .none) throws -> Channel {
    try watched(Channel("127.0.0.1:\(server.port)", configuration: quietly(policy)))
  }

  /// A server that sends its head at once and nothing after it.
  private func silent() async throws -> WireServer {
    try await WireServer { stream, event in
      if event == .head { stream.head([("x-head", "1")]) }
    }
  }

  @Test func theHeadOfAStreamIsReadWhileTheCallRuns() async throws {
    let server = try await silent()
    let channel = try channel(server)
    let watch = channel.serverStreaming(Kind.serverStreaming.method, Text(), options: CallOptions())
    #expect(try await watch.initialMetadata == ["x-head": "1"])
    #expect(watch.trailingMetadata == nil)
    let upload = channel.clientStreaming(Kind.clientStreaming.method, options: CallOptions())
    #expect(try await upload.initialMetadata == ["x-head": "1"])
    try await upload.write(Text(value: "x"))
    let chat = channel.bidirectional(Kind.bidirectional.method, options: CallOptions())
    #expect(try await chat.initialMetadata == ["x-head": "1"])
    #expect(try await chat.responses.initialMetadata == ["x-head": "1"])
    channel.shutDown()
    await server.close()
  }

  @Test(arguments: Kind.allCases) func theHeadOfAnyCallIsToldWhileItRuns(_ kind: Kind) async throws {
    let server = try await silent()
    let channel = try channel(server)
    let heads = Locked<[Metadata]>([])
    let told = Signal()
    var options = CallOptions()
    options.onInitialMetadata = { head in
      heads.withLock { $0.append(head) }
      told.send()
    }
    let call = Task { [options] in try await channel.call(kind, options: options) }
    await told.wait()
    call.cancel()
    await #expect(throws: ConnectionError.self) { try await call.value }
    #expect(heads.withLock { $0 } == [["x-head": "1"]])
    channel.shutDown()
    await server.close()
  }

  @Test(arguments: Kind.allCases, [true, false])
  func bothMetadataAreOnTheErrorThatIsThrown(_ kind: Kind, _ hasHead: Bool) async throws {
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      if hasHead { stream.head([("x-head", "1")]) }
      stream.end(.aborted, [("x-trailer", "2")])
    }
    let channel = try channel(server)
    do throws(ConnectionError) {
      _ = try await channel.call(kind)
      Issue.record("no error")
    } catch {
      #expect(error.status == .aborted)
      #expect(error.initialMetadata == (hasHead ? ["x-head": "1"] : [:]))
      #expect(error.trailingMetadata == ["x-trailer": "2"])
    }
    channel.shutDown()
    await server.close()
  }

  @Test func aStreamKnowsItsTrailersAtItsEnd() async throws {
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      stream.head([("x-head", "1")])
      stream.message("one")
      stream.end(.ok, [("x-trailer", "2")])
    }
    let channel = try channel(server)
    let stream = channel.serverStreaming(Kind.serverStreaming.method, Text(), options: CallOptions())
    var texts: [String] = []
    for try await text in stream { texts.append(text.value) }
    #expect(texts == ["one"])
    #expect(try await stream.initialMetadata == ["x-head": "1"])
    #expect(stream.trailingMetadata == ["x-trailer": "2"])
    channel.shutDown()
    await server.close()
  }

  @Test func anAttemptWhoseHeadIsKnownIsNotRepeated() async throws {
    let count = Locked(0)
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      count.withLock { $0 += 1 }
      stream.head([("x-head", "\(stream.number)")])
      stream.end(.unavailable)
    }
    var policy = CallPolicy.none
    policy.retry = RetryPolicy(maxRetries: 2, backoff: Backoff(base: .milliseconds(1)))
    let channel = try channel(server, policy)
    let unasked = channel.serverStreaming(Kind.serverStreaming.method, Text(), options: CallOptions())
    await #expect(throws: ConnectionError.self) { for try await _ in unasked {} }
    #expect(count.withLock { $0 } == 3)
    let asked = channel.serverStreaming(Kind.serverStreaming.method, Text(), options: CallOptions())
    #expect(try await asked.initialMetadata == ["x-head": "4"])
    await #expect(throws: ConnectionError.self) { for try await _ in asked {} }
    #expect(count.withLock { $0 } == 4)
    channel.shutDown()
    await server.close()
  }

  // MARK: Cancelling

  @Test func cancelEndsAStreamWhoseFirstMessageIsAwaited() async throws {
    let begun = Signal()
    let ended = Signal()
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      stream.closes = ended.send
      begun.send()
    }
    let channel = try channel(server)
    let stream = channel.serverStreaming(Kind.serverStreaming.method, Text(), options: CallOptions())
    let reading = Task { for try await _ in stream {} }
    await begun.wait()
    stream.cancel()
    let result = await reading.result
    do {
      try result.get()
      Issue.record("no error")
    } catch let error as ConnectionError {
      #expect(error.status == .cancelled)
    }
    // The server learns of it.
    await ended.wait()
    channel.shutDown()
    await server.close()
  }

  @Test func cancelEndsThePauseBeforeAnotherAttempt() async throws {
    let server = try await WireServer { stream, event in
      if event == .end { stream.end(.unavailable) }
    }
    let failed = Signal()
    let policy = CallPolicy(retry: RetryPolicy(backoff: Backoff(base: .seconds(600), cap: .seconds(600))), breaker: nil)
    let channel = try watched(
      Channel(
        "127.0.0.1:\(server.port)", configuration: quietly(policy) { $0.observer = { _ in failed.send() } }))
    let stream = channel.serverStreaming(Kind.serverStreaming.method, Text(), options: CallOptions())
    let reading = Task { for try await _ in stream {} }
    await failed.wait()
    stream.cancel()
    await #expect(throws: ConnectionError.self) { try await reading.value }
    channel.shutDown()
    await server.close()
  }

  @Test(arguments: [Kind.serverStreaming, .bidirectional])
  func noMessageIsHandedOutAfterCancel(_ kind: Kind) async throws {
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      for text in ["one", "two", "three"] { stream.message(text) }
      stream.end()
    }
    let channel = try channel(server)
    let stream: ResponseStream<Text, ConnectionError>
    switch kind {
    case .serverStreaming: stream = channel.serverStreaming(kind.method, Text(), options: CallOptions())
    default:
      let call = channel.bidirectional(kind.method, options: CallOptions())
      call.finish()
      stream = call.responses
    }
    var messages = stream.makeAsyncIterator()
    #expect(try await messages.next()?.value == "one")
    // The others have come, and the end.
    while stream.trailingMetadata == nil { await Task.yield() }
    stream.cancel()
    do throws(ConnectionError) {
      let message = try await messages.next()
      Issue.record("\(message?.value ?? "an end") after cancel")
    } catch {
      #expect(error.status == .cancelled)
    }
    channel.shutDown()
    await server.close()
  }

  @Test func cancelDoesNothingOnceAllHasBeenRead() async throws {
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      stream.message("one")
      stream.end()
    }
    let channel = try channel(server)
    let stream = channel.serverStreaming(Kind.serverStreaming.method, Text(), options: CallOptions())
    var messages = stream.makeAsyncIterator()
    #expect(try await messages.next()?.value == "one")
    #expect(try await messages.next() == nil)
    stream.cancel()
    #expect(try await messages.next() == nil)
    channel.shutDown()
    await server.close()
  }

  // MARK: The budget of one call's options

  @Test func theBudgetOfACallsOptionsIsItsOwn() async throws {
    let count = Locked(0)
    let server = try await WireServer { stream, event in
      guard event == .end else { return }
      count.withLock { $0 += 1 }
      stream.end(.unavailable)
    }
    let backoff = Backoff(base: .milliseconds(1))
    let stingy = RetryPolicy(maxRetries: 2, backoff: backoff, budget: .init(maxTokens: 2))
    let generous = RetryPolicy(maxRetries: 2, backoff: backoff, budget: nil)
    func attempts(_ channel: Channel, _ retry: RetryPolicy?) async -> Int {
      let before = count.withLock { $0 }
      _ = await channel.failure("x", TextService.repeatable, options: CallOptions(retry: retry))
      return count.withLock { $0 } - before
    }
    let first = try channel(server, CallPolicy(retry: generous, breaker: nil))
    #expect(await attempts(first, nil) == 3)
    #expect(await attempts(first, stingy) == 1)
    // Shared by the calls that ask for it.
    #expect(await attempts(first, RetryPolicy(maxRetries: 5, backoff: backoff, budget: stingy.budget)) == 1)
    let second = try channel(server, CallPolicy(retry: stingy, breaker: nil))
    #expect(await attempts(second, nil) == 1)
    #expect(await attempts(second, generous) == 3)
    first.shutDown()
    second.shutDown()
    await server.close()
  }
}
