// SPDX-License-Identifier: Apache-2.0
#if DEBUG
  import NIOCore
  import TaxonResilience
  import Testing

  @testable import TaxonClient

  /// An endpoint's state, reached from another thread than its loop's: a debug build stops there.
  @Suite struct EndpointLoopTests {
    private static func endpoint() throws -> Endpoint {
      try TaxonClient.Channel("ipv4:127.0.0.1:1", configuration: .init(policy: .none)).engine.endpoint
    }

    @Test func anEndpointIsReachedOnItsLoopAlone() async {
      await #expect(processExitsWith: .failure) { try EndpointLoopTests.endpoint().serve() }
      await #expect(processExitsWith: .failure) { try EndpointLoopTests.endpoint().wake() }
      await #expect(processExitsWith: .failure) { try EndpointLoopTests.endpoint().shutDown() }
      await #expect(processExitsWith: .success) {
        let endpoint = try EndpointLoopTests.endpoint()
        try await endpoint.eventLoop.submit { endpoint.serve() }.get()
      }
    }
  }
#endif
