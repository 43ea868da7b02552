// SPDX-License-Identifier: Apache-2.0
#if DEBUG
import NIOCore
import TaxonResilience
import Testing

@testable import TaxonClient

/// A channel's state, reached from another thread than its loop's: a debug build stops there.
@Suite struct CallDispatcherLoopTests {
  private static func dispatcher() throws -> CallDispatcher {
    try TaxonClient.Channel("ipv4:127.0.0.1:1", configuration: .init(policy: .none)).engine.dispatcher
  }

  @Test func anEndpointIsReachedOnItsLoopAlone() async {
    await #expect(processExitsWith: .failure) { try CallDispatcherLoopTests.dispatcher().serve() }
    await #expect(processExitsWith: .failure) { try CallDispatcherLoopTests.dispatcher().wake() }
    await #expect(processExitsWith: .failure) { try CallDispatcherLoopTests.dispatcher().shutDown() }
    await #expect(processExitsWith: .success) {
      let dispatcher = try CallDispatcherLoopTests.dispatcher()
      try await dispatcher.eventLoop.submit { dispatcher.serve() }.get()
    }
  }
}
#endif
