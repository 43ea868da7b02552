// SPDX-License-Identifier: Apache-2.0
#if DEBUG
  import NIOCore
  import TaxonResilience
  import Testing

  @testable import TaxonClient

  /// A channel's state, reached from another thread than its loop's: a debug build stops there.
  @Suite struct ChannelCoreLoopTests {
    private static func core() throws -> ChannelCore {
      try TaxonClient.Channel("ipv4:127.0.0.1:1", configuration: .init(policy: .none)).engine.core
    }

    @Test func anEndpointIsReachedOnItsLoopAlone() async {
      await #expect(processExitsWith: .failure) { try ChannelCoreLoopTests.core().serve() }
      await #expect(processExitsWith: .failure) { try ChannelCoreLoopTests.core().wake() }
      await #expect(processExitsWith: .failure) { try ChannelCoreLoopTests.core().shutDown() }
      await #expect(processExitsWith: .success) {
        let core = try ChannelCoreLoopTests.core()
        try await core.eventLoop.submit { core.serve() }.get()
      }
    }
  }
#endif
