// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

import class TaxonClient.Channel

/// A server that is gone without a word.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct KeepaliveTests {
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
    let channel = try watched(
      Channel(
        "127.0.0.1:\(relay.port)",
        // Time enough for a busy machine to answer while the server is well.
        configuration: quietly { $0.keepalive = keepalive(.milliseconds(300), .milliseconds(3500)) }))
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
    #expect(duration > .seconds(1) && duration < .seconds(30))
    #expect(lost.status == .unavailable)
    #expect(lost.error == "no answer to a keepalive PING within 3.5 seconds")
    goOn.send()
    channel.shutDown()
    await relay.close()
    await server.shutDown()
  }

  @Test func aServerThatNeverSaysAnythingIsGivenUpToo() async throws {
    let peer = try await ScriptedPeer()
    let channel = try watched(
      Channel(
        "127.0.0.1:\(peer.port)",
        configuration: quietly { $0.keepalive = keepalive(.milliseconds(50), .milliseconds(50)) }))
    let error = await channel.failure()
    #expect(error?.status == .unavailable)
    channel.shutDown()
    await peer.close()
  }

  @Test func aSlowCallOnALivingConnectionGoesOn() async throws {
    let goOn = Signal()
    let server = try await makeServer { text, _ in
      await goOn.wait()
      return text
    }
    let pings = Tally()
    let relay = try await Relay(to: try #require(server.port), pings: pings)
    let channel = try watched(
      Channel(
        "127.0.0.1:\(relay.port)",
        configuration: quietly { $0.keepalive = keepalive(.milliseconds(100), .seconds(5)) }))
    async let answer = channel.text("slow")
    await pings.reaches(1)
    goOn.send()
    #expect(try await answer == "slow")
    channel.shutDown()
    await relay.close()
    await server.shutDown()
  }

  @Test func aServerThatFindsThePingsTooManyIsNamed() async throws {
    let peer = try await ScriptedPeer(
      greeting: ScriptedPeer.settings, answer: ScriptedPeer.goAway(11, "too_many_pings", lastStream: 1))
    let channel = try watched(Channel("127.0.0.1:\(peer.port)", configuration: quietly()))
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

  /// Answers no request; a PING, with GOAWAY for too many of them. Remembers how long after the request it came.
  private final class Complainer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    private var frames = FrameReader(hasPreface: true)

    func channelActive(context: ChannelHandlerContext) {
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: ScriptedPeer.settings)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      for frame in frames.read(unwrapInboundIn(data)) where frame.type == 6 && frame.flags & 1 == 0 {
        let goAway = ScriptedPeer.goAway(11, "too_many_pings", lastStream: 1)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: goAway)), promise: nil)
        context.close(promise: nil)
      }
    }
  }

  @Test func aChannelPingsHalfAsOftenWhenAServerFindsItTooMuch() async throws {
    let listening = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Complainer())
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let channel = try watched(
      Channel(
        "127.0.0.1:\(listening.localAddress?.port ?? 0)",
        configuration: quietly {
          $0.keepalive = keepalive(.milliseconds(200), .seconds(20))
          $0.backoff = Backoff(base: .milliseconds(5), cap: .milliseconds(5))
        }))
    for least in [200, 400, 800, 1600] {
      let start = ContinuousClock.now
      guard case .connectionLost(let lost)? = await channel.failure(options: CallOptions(waitForReady: true)) else {
        Issue.record("another error")
        continue
      }
      #expect(lost.error.contains("too_many_pings"))
      // Never sooner; how much later depends on the machine.
      #expect(ContinuousClock.now - start > .milliseconds(least * 9 / 10))
    }
    channel.shutDown()
    try await listening.close()
  }
}
