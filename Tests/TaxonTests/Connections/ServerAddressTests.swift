// SPDX-License-Identifier: Apache-2.0
import Foundation
import ServiceLifecycle
import Taxon
import TaxonFixtures
import TaxonTransport
import Testing

/// Where a server listens beside TCP, and how it ends with a group of services.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ServerAddressTests {
  func server(_ configuration: Server.Configuration) -> Server {
    watched(Server(configuration, services: [TextService { text, _ in text }], logger: quiet))
  }

  @Test func aUnixSocketIsServedAndRemovedAtTheEnd() async throws {
    let folder = try Certificates.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/socket"
    let first = server(.init(address: .unix(path: path)))
    try await first.start()
    let client = try await WireClient.connect(.unix(path))
    #expect(try await client.call().status == "0")
    await client.close()

    do throws(SetupError) {
      try await server(.init(address: .unix(path: path))).start()
      Issue.record("no error")
    } catch .addressUnavailable(let error) {
      #expect(error.address == "unix:\(path)")
      #expect(error.reason == "a server listens on the socket")
    }
    #expect(FileManager.default.fileExists(atPath: path))
    await first.shutDown()
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func aSocketThatWasLeftBehindIsReplaced() async throws {
    let folder = try Certificates.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/socket"
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    close(descriptor)
    let server = server(.init(address: .unix(path: path)))
    try await server.start()
    let client = try await WireClient.connect(.unix(path))
    #expect(try await client.call().status == "0")
    await client.close()
    await server.shutDown()
  }

  @Test func aFileThatIsNoSocketStays() async throws {
    let folder = try Certificates.makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/file"
    try Data("x".utf8).write(to: URL(fileURLWithPath: path))
    do throws(SetupError) {
      try await server(.init(address: .unix(path: path))).start()
      Issue.record("no error")
    } catch .addressUnavailable(let error) {
      #expect(error.reason == "the file exists and is not a socket")
    }
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test func aPathThatIsTooLongIsASetupError() async throws {
    do throws(SetupError) {
      try await server(.init(address: .unix(path: String(repeating: "x", count: 200)))).start()
      Issue.record("no error")
    } catch .invalidSetting(let error) {
      #expect(error.name == "address")
    }
  }

  @Test func aConnectedSocketIsServedWithoutListening() async throws {
    let server = server(.init(address: .none))
    try await server.start()
    #expect(server.port == nil)
    var pair: [CInt] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
    try await server.serve(socket: pair[0])
    let client = try await WireClient.connect(.socket(pair[1]))
    #expect(try await client.call().status == "0")
    await client.close()
    await server.shutDown()
  }

  @Test func aGroupOfServicesShutsTheServerDown() async throws {
    let server = server(.init(port: 0))
    let group = ServiceGroup(services: [server], logger: quiet)
    let run = Task { try await group.run() }
    while server.port == nil { await Task.yield() }
    await group.triggerGracefulShutdown()
    try await run.value
    #expect(server.port == nil)
  }

  @Test func settingsOutOfBoundsAreSetupErrors() async throws {
    let changes: [(String, @Sendable (inout Server.Configuration) -> Void)] = [
      ("threads", { $0.threads = 0 }),
      ("http2.maxConcurrentStreams", { $0.http2.maxConcurrentStreams = 0 }),
      ("http2.maxFrameSize", { $0.http2.maxFrameSize = 100 }),
      ("http2.flood.resets.burst", { $0.http2.flood.resets.burst = 0 }),
      ("connections.setupTimeout", { $0.connections.setupTimeout = .zero }),
      ("connections.maxConnections", { $0.connections.maxConnections = 0 }),
      ("connections.maxRunningCalls", { $0.connections.maxRunningCalls = 0 }),
      ("keepalive.time", { $0.keepalive.time = .zero }),
      ("keepalive.maxConnectionAge", { $0.keepalive.maxConnectionAge = .seconds(-1) }),
      ("calls.maxMessageSize", { $0.calls.maxMessageSize = 0 }),
    ]
    for (name, change) in changes {
      var configuration = Server.Configuration(port: 0)
      change(&configuration)
      do throws(SetupError) {
        try await server(configuration).start()
        Issue.record("no error for \(name)")
      } catch .invalidSetting(let error) {
        #expect(error.name == name)
      }
    }
  }
}
