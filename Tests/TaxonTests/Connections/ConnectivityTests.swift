// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

/// What becomes of a channel's connection.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ConnectivityTests {
  @Test func aChannelTellsWhereItStands() async throws {
    let server = try await makeServer { text, _ in text }
    let channel = try watched(Channel("127.0.0.1:\(try #require(server.port))", configuration: quietly()))
    #expect(channel.state == .idle)
    let changes = channel.stateChanges
    _ = try await channel.text("x")
    #expect(channel.state == .ready)
    await server.shutDown()
    await channel.reaches(.idle)
    channel.shutDown()
    var states: [ConnectivityState] = []
    for await state in changes { states.append(state) }
    #expect(states == [.idle, .connecting, .ready, .idle, .shutdown])
    #expect(channel.state == .shutdown)
    #expect(await channel.reaches(.shutdown) == [.shutdown])
    #expect(await channel.failure()?.status == .cancelled)
  }

  @Test func aChannelConnectsWithoutACallWhenItIsAsked() async throws {
    let server = try await makeServer { text, _ in text }
    let channel = try watched(Channel("dns:///localhost:\(try #require(server.port))", configuration: quietly()))
    channel.connect()
    await channel.reaches(.ready)
    channel.shutDown()
    await server.shutDown()
  }

  @Test func aConnectionWithoutCallsIsClosedAndMadeAgainByTheNextCall() async throws {
    let server = try await makeServer { text, _ in text }
    let relay = try await Relay(to: try #require(server.port))
    let channel = try watched(
      Channel(
        "127.0.0.1:\(relay.port)", configuration: quietly { $0.idleTimeout = .seconds(3) }))
    _ = try await channel.text("x")
    #expect(channel.state == .ready)
    #expect(await channel.reaches(.idle) == [.ready, .idle])
    #expect(try await channel.text("y") == "y")
    #expect(relay.connections == 2)
    channel.shutDown()
    await server.shutDown()
    await relay.close()
  }

  @Test func aServerThatTakesConnectionsAndSaysNothingIsUnreachableAfterTheConnectTimeout() async throws {
    let peer = try await ScriptedPeer()
    let channel = try watched(
      Channel(
        "127.0.0.1:\(peer.port)",
        configuration: quietly {
          $0.connectTimeout = .seconds(2)
          $0.backoff = Backoff(base: .milliseconds(50), cap: .milliseconds(50))
        }))
    let error = await channel.failure()
    #expect(error?.status == .unavailable)
    guard case .endpointUnreachable(let lost)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(lost.reason == "the server did not send its SETTINGS in time")
    #expect(channel.state != .ready)
    channel.shutDown()
    await peer.close()
  }

  @Test func aLostConnectionSaysWhatTheServersGoAwaySaid() async throws {
    // The request is answered with a GOAWAY that lets the call go on.
    let peer = try await ScriptedPeer(
      greeting: ScriptedPeer.settings, answer: ScriptedPeer.goAway(2, "out of order", lastStream: 1))
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
    #expect(lost.error.hasSuffix(" after GOAWAY INTERNAL_ERROR (out of order)"))
    channel.shutDown()
  }
}
