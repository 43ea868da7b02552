// SPDX-License-Identifier: Apache-2.0
import Taxon
import Testing

/// How a server begins and ends.
@Suite(.timeLimit(.minutes(1))) struct ServerLifecycleTests {
  @Test func shuttingDownLetsCallsInFlightEnd() async throws {
    let started = Signal()
    let goOn = Signal()
    let server = Server(
      .init(port: 0),
      services: [
        TextService { _, _ in
          started.send()
          await goOn.wait()
          return "late"
        }
      ], logger: quiet)
    try await server.start()
    let channel = try Channel("127.0.0.1:\(server.port ?? 0)", policy: .none, logger: quiet)
    async let answer = channel.text("x")
    await started.wait()
    async let end: Void = server.shutDown()
    goOn.send()
    #expect(try await answer == "late")
    await end
    await #expect(throws: ConnectionError.self) { try await channel.text("x") }
  }

  @Test func aHandlerThatDoesNotEndIsCancelledAfterTheGracePeriod() async throws {
    var configuration = Server.Configuration(port: 0)
    configuration.gracePeriod = .milliseconds(50)
    let started = Signal()
    let cancelled = Signal()
    let server = Server(
      configuration,
      services: [
        TextService { _, _ in
          started.send()
          await withTaskCancellationHandler {
            await cancelled.wait()
          } onCancel: {
            cancelled.send()
          }
          return ""
        }
      ], logger: quiet)
    try await server.start()
    let channel = try Channel("127.0.0.1:\(server.port ?? 0)", policy: .none, logger: quiet)
    let call = Task { try await channel.text("x") }
    await started.wait()
    await server.shutDown()
    await cancelled.wait()
    let error = await #expect(throws: ConnectionError.self) { try await call.value }
    #expect(error?.status == .unavailable)
  }

  @Test func runEndsWhenItsTaskIsCancelled() async throws {
    let server = Server(.init(port: 0), services: [], logger: quiet)
    let listening = Signal()
    let run = Task { try await server.run { _ in listening.send() } }
    await listening.wait()
    run.cancel()
    try await run.value
    #expect(server.port == nil)
  }

  @Test func aPortInUseIsASetupError() async throws {
    let first = Server(.init(port: 0), services: [], logger: quiet)
    try await first.start()
    let second = Server(.init(port: first.port ?? 0), services: [], logger: quiet)
    do throws(SetupError) {
      try await second.start()
      Issue.record("no error")
    } catch .addressUnavailable(let error) {
      #expect(error.address == "127.0.0.1:\(first.port ?? 0)")
    }
    await first.shutDown()
  }

  @Test(arguments: [-1, 65_536])
  func aPortOutOfBoundsIsASetupError(_ port: Int) async throws {
    do throws(SetupError) {
      try await Server(.init(port: port), services: [], logger: quiet).start()
      Issue.record("no error")
    } catch .invalidSetting(let error) {
      #expect(error.name == "port")
      #expect(error.value == "\(port)")
    }
  }

  @Test func aServiceGivenTwiceIsASetupError() async throws {
    let services = [TextService { text, _ in text }, TextService { text, _ in text }]
    do throws(SetupError) {
      try await Server(.init(port: 0), services: services, logger: quiet).start()
      Issue.record("no error")
    } catch .invalidSetting(let error) {
      #expect(error.value == "test.Text")
    }
  }
}
