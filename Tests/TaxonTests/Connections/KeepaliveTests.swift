// SPDX-License-Identifier: Apache-2.0
import Taxon
import Testing

/// A server that is gone without a word.
@Suite(.timeLimit(.minutes(1))) struct KeepaliveTests {
  private func keepalive(_ time: Duration, _ timeout: Duration) -> Channel.Keepalive {
    var keepalive = Channel.Keepalive(time: time)
    keepalive.timeout = timeout
    // Tests have less time than servers like.
    keepalive.minimum = .milliseconds(1)
    return keepalive
  }

  @Test func theCallsOfAServerThatFreezesFailWithinTheKeepalivesTimes() async throws {
    let started = Signal()
    let goOn = Signal()
    let server = try await makeServer { text, _ in
      if text == "slow" {
        started.send()
        await goOn.wait()
      }
      return text
    }
    let relay = try await Relay(to: try #require(server.port))
    let channel = try Channel(
      "127.0.0.1:\(relay.port)",
      // Time enough for a busy machine to answer while the server is well.
      configuration: quietly { $0.keepalive = keepalive(.milliseconds(300), .milliseconds(3500)) })
    _ = try await channel.text("x")
    let call = Task { await channel.failure("slow") }
    await started.wait()
    let begin = ContinuousClock.now
    try await relay.freeze()
    guard case .connectionLost(let lost)? = await call.value else {
      Issue.record("another error")
      return
    }
    let duration = ContinuousClock.now - begin
    #expect(duration > .seconds(3) && duration < .seconds(30))
    #expect(lost.status == .unavailable)
    #expect(lost.error == "no answer to a keepalive PING within 3.5 seconds")
    goOn.send()
    channel.shutDown()
    await relay.close()
    await server.shutDown()
  }

  @Test func aServerThatNeverSaysAnythingIsGivenUpToo() async throws {
    let peer = try await ScriptedPeer()
    let channel = try Channel(
      "127.0.0.1:\(peer.port)",
      configuration: quietly { $0.keepalive = keepalive(.milliseconds(50), .milliseconds(50)) })
    let error = await channel.failure()
    #expect(error?.status == .unavailable)
    channel.shutDown()
    await peer.close()
  }

  @Test func aSlowCallOnALivingConnectionGoesOn() async throws {
    let server = try await makeServer { text, _ in
      try await Task.sleep(for: .milliseconds(500))
      return text
    }
    let channel = try Channel(
      "127.0.0.1:\(try #require(server.port))",
      configuration: quietly { $0.keepalive = keepalive(.milliseconds(300), .seconds(5)) })
    #expect(try await channel.text("slow") == "slow")
    channel.shutDown()
    await server.shutDown()
  }

  @Test func aServerThatFindsThePingsTooManyIsNamed() async throws {
    let peer = try await ScriptedPeer(
      greeting: ScriptedPeer.settings, answer: ScriptedPeer.goAway(11, "too_many_pings", lastStream: 1))
    let channel = try Channel("127.0.0.1:\(peer.port)", configuration: quietly())
    channel.connect()
    await channel.reaches(.ready)
    let call = Task { await channel.failure() }
    await channel.reaches(.idle)
    await peer.close()
    guard case .connectionLost(let lost)? = await call.value else {
      Issue.record("another error")
      return
    }
    // A peer that closes with bytes unread resets the connection.
    #expect(lost.error.hasSuffix(" after GOAWAY ENHANCE_YOUR_CALM (too_many_pings)"))
    channel.shutDown()
  }
}
