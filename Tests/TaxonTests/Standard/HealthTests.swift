// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import TaxonServer
import Testing

/// grpc.health.v1, over TCP.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct HealthTests {
  private typealias Health = Grpc_Health_V1_Health
  private typealias Status = Grpc_Health_V1_HealthCheckResponse.ServingStatus
  private typealias Statuses = ResponseStream<Grpc_Health_V1_HealthCheckResponse, RPCError>.AsyncIterator

  private func check(_ channel: Channel, _ service: String) async throws(RPCError) -> Status {
    try await channel.unary(Health.Methods.check, .init(service: service), options: CallOptions()).status
  }

  private func watch(_ channel: Channel, _ service: String) -> Statuses {
    channel.serverStreaming(Health.Methods.watch, .init(service: service), options: CallOptions()).makeAsyncIterator()
  }

  @Test func theServerServesFromTheBeginningAndServicesWhenTheyAreSaidTo() async throws {
    let health = HealthService(serving: "test.Text")
    try await withChannel(to: [health]) { channel, _ async throws in
      #expect(try await check(channel, "") == .serving)
      #expect(try await check(channel, "test.Text") == .serving)
      health.set(.notServing, for: "test.Text")
      #expect(try await check(channel, "test.Text") == .notServing)
      health.set(.unknown)
      #expect(try await check(channel, "") == .unknown)
      #expect(health.status() == .unknown && health.status(of: "test.Text") == .notServing)
    }
  }

  @Test func checkingAServiceWithoutAStatusIsNotFound() async throws {
    let health = HealthService()
    try await withChannel(to: [health]) { channel, _ async throws in
      let error = await #expect(throws: RPCError.self) { try await check(channel, "test.Text") }
      #expect(error?.status == .notFound)
      health.set(.serving, for: "test.Text")
      #expect(try await check(channel, "test.Text") == .serving)
      health.set(nil, for: "test.Text")
      await #expect(throws: RPCError.self) { try await check(channel, "test.Text") }
    }
  }

  @Test func allAreListedUpToAHundred() async throws {
    let health = HealthService()
    try await withChannel(to: [health]) { channel, _ async throws in
      for number in 0..<99 { health.set(.notServing, for: "test.Service\(number)") }
      let listed = try await channel.unary(Health.Methods.list, .init(), options: CallOptions()).statuses
      #expect(listed.count == 100)
      #expect(listed[""]?.status == .serving && listed["test.Service7"]?.status == .notServing)
      health.set(.serving, for: "test.OneMore")
      let error = await #expect(throws: RPCError.self) {
        try await channel.unary(Health.Methods.list, .init(), options: CallOptions())
      }
      #expect(error?.status == .resourceExhausted)
    }
  }

  @Test func watchingTellsTheStatusAndThenOnlyChanges() async throws {
    let health = HealthService(serving: "test.Text")
    try await withChannel(to: [health]) { channel, _ async throws in
      var statuses = watch(channel, "test.Text")
      #expect(try await statuses.next()?.status == .serving)
      health.set(.serving, for: "test.Text")
      health.set(.notServing, for: "test.Other")
      health.set(.notServing, for: "test.Text")
      #expect(try await statuses.next()?.status == .notServing)
      health.set(.notServing, for: "test.Text")
      health.set(.unknown, for: "test.Text")
      #expect(try await statuses.next()?.status == .unknown)
    }
  }

  @Test func watchingAServiceThatIsNotKnownGoesOnUntilItIs() async throws {
    let health = HealthService()
    try await withChannel(to: [health]) { channel, _ async throws in
      var statuses = watch(channel, "test.Text")
      #expect(try await statuses.next()?.status == .serviceUnknown)
      health.set(.serving, for: "test.Text")
      #expect(try await statuses.next()?.status == .serving)
      health.set(nil, for: "test.Text")
      #expect(try await statuses.next()?.status == .serviceUnknown)
    }
  }

  @Test func everyWatcherIsToldAndOneThatLeavesDisturbsNobody() async throws {
    let health = HealthService()
    try await withChannel(to: [health]) { channel, _ async throws in
      var watchers = (0..<20).map { _ in watch(channel, "") }
      for index in watchers.indices { #expect(try await watchers[index].next()?.status == .serving) }
      // Letting go of an iterator cancels its call.
      watchers.removeSubrange(5..<15)
      health.set(.notServing)
      for index in watchers.indices { #expect(try await watchers[index].next()?.status == .notServing) }
      health.set(.serving)
      for index in watchers.indices { #expect(try await watchers[index].next()?.status == .serving) }
    }
  }

  @Test func aShutdownTellsWatchersAndDoesNotWaitForThem() async throws {
    let health = HealthService(serving: "test.Text")
    try await withChannel(to: [health]) { channel, server async throws in
      var watchers = ["", "test.Text", "test.Unknown"].map { watch(channel, $0) }
      for index in watchers.indices { #expect(try await watchers[index].next()?.status != nil) }
      let start = ContinuousClock.now
      async let end: Void = server.shutDown()
      for index in 0..<2 {
        #expect(try await watchers[index].next()?.status == .notServing)
        let more = try await watchers[index].next()
        #expect(more == nil)
      }
      let more = try await watchers[2].next()
      #expect(more == nil)
      await end
      // Far less than the grace period, which is what a stream that goes on costs.
      #expect(.now - start < .seconds(15))
      health.set(.serving)
      #expect(health.status() == .notServing && health.status(of: "test.Text") == .notServing)
    }
  }

  @Test func aWatcherWhoseTaskIsCancelledIsTold() async throws {
    try await withChannel(to: [HealthService()]) { channel, _ async throws in
      let told = Signal()
      let watching = Task {
        var statuses = watch(channel, "")
        _ = try await statuses.next()
        told.send()
        return try await statuses.next()?.status
      }
      await told.wait()
      watching.cancel()
      let error = await #expect(throws: RPCError.self) { try await watching.value }
      #expect(error?.status == .cancelled)
    }
  }
}
