// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Taxon
import TaxonFixtures
import Testing

import class TaxonClient.Channel

@testable import TaxonServer

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What tests leave behind is found: each of these does so, and takes it away when it was found.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct LeftoverTests {
  /// What is found when the test has returned.
  private func found(_ test: () async throws -> Void) async throws -> [String] {
    let found = Locked<[String]>([])
    try await withKnownIssue {
      try await LeftoverCheck.run(within: .milliseconds(50), at: #_sourceLocation, test)
    } matching: { issue in
      found.withLock { $0 += issue.comments.map(\.rawValue) }
      return true
    }
    return found.withLock { $0 }.map { $0.replacing("The test leaves behind: ", with: "") }
  }

  @Test func aTestThatShutsEverythingDownLeavesNothing() async throws {
    try await LeftoverCheck.run(at: #_sourceLocation) {
      try await withServer { text, _ in
        text
      } test: { target, _ in
        let channel = try watched(Channel(target, configuration: quietly()))
        #expect(try await channel.text("x") == "x")
      }
    }
  }

  @Test func aHandlerThatStillRuns() async throws {
    let (begun, goOn) = (Signal(), Signal())
    let left = try await found {
      let server = try await makeServer(configure: { $0.gracePeriod = .milliseconds(1) }) { text, _ in
        begun.send()
        await goOn.wait()
        return text
      }
      let channel = try watched(Channel("127.0.0.1:\(server.port ?? 0)", configuration: quietly()))
      async let error = channel.failure()
      await begun.wait()
      await server.shutDown()
      #expect(await error != nil)
    }
    goOn.send()
    #expect(left.contains("a handler, which still runs"), "\(left)")
  }

  @Test func aServerThatWasNotShutDown() async throws {
    var kept: Server?
    let left = try await found { kept = try await makeServer { text, _ in text } }
    #expect(left.contains("a server"), "\(left)")
    #expect(left.contains("the socket of what a server listens with"), "\(left)")
    await kept?.shutDown()
  }

  @Test func theThreadsOfAServerThatWasNotShutDown() async throws {
    var kept: Server?
    let left = try await found {
      let server = try await makeServer(configure: { $0.threads = 1 }) { text, _ in text }
      kept = server
      let channel = try watched(Channel("127.0.0.1:\(server.port ?? 0)", configuration: quietly()))
      #expect(try await channel.text("x") == "x")
    }
    #expect(left.contains("an event loop, with its thread"), "\(left)")
    await kept?.shutDown()
  }

  @Test func aTaskThatGoesOn() async throws {
    var kept: Channel?
    let left = try await found {
      var tls = ClientTLS(trustRoots: .file(Certificates.shared.authority))
      tls.reloadInterval = .seconds(3600)
      kept = try watched(Channel("dns:///localhost:1", configuration: quietly { $0.tls = tls }))
    }
    #expect(left.contains("the task that reads a channel's certificates again"), "\(left)")
    kept?.shutDown()
    kept = nil
  }

  @Test func aStreamThatASessionStillHolds() async throws {
    let begun = Signal()
    let server = try await makeServer { text, _ in
      begun.send()
      await untilCancelled()
      return text
    }
    let port = try #require(server.port)
    var call: Task<ConnectionError?, Never>?
    let left = try await found {
      let channel = try watched(Channel("127.0.0.1:\(port)", configuration: quietly()))
      call = Task { await channel.failure() }
      await begun.wait()
      channel.shutDown()
    }
    #expect(left.contains("the session of a connection of a channel, which holds a stream"), "\(left)")
    #expect(left.contains("the socket of a connection of a channel"), "\(left)")
    call?.cancel()
    #expect(await call?.value?.status == .cancelled)
    await server.shutDown()
  }

  @Test func aConnectionThatSomebodyKeeps() async throws {
    var kept: NIOLoopBound<ServerConnection>?
    let left = try await found {
      let server = try await makeServer { text, _ in text }
      let channel = try watched(Channel("127.0.0.1:\(server.port ?? 0)", configuration: quietly()))
      #expect(try await channel.text("x") == "x")
      kept = server.connections.all.first
      await server.shutDown()
    }
    #expect(kept != nil)
    #expect(left.contains("a connection of a server"), "\(left)")
    #expect(!left.contains { $0.contains("socket of a connection of a server") }, "\(left)")
    kept = nil
  }

  @Test func aDescriptorOfAConnectionsSocket() async throws {
    var copy: CInt = -1
    let left = try await found {
      let server = try await makeServer { text, _ in text }
      let client = try await WireClient.connect(.port(server.port ?? 0))
      let channel = client.channel
      let duplicate = try await channel.eventLoop.submit {
        try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) {
          fcntl($0, F_DUPFD_CLOEXEC, 0)
        }
      }.get()
      copy = try #require(duplicate)
      await client.close()
      await server.shutDown()
    }
    #expect(left.contains("the socket of a connection of a client on the wire"), "\(left)")
    close(copy)
  }
}
