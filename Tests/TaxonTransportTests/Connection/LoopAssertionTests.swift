// SPDX-License-Identifier: Apache-2.0
#if DEBUG
import NIOCore
import NIOPosix
import Testing

@testable import TaxonTransport

/// State that belongs to an event loop, reached from another thread: a debug build stops there.
@Suite struct LoopAssertionTests {
  /// A session whose connection is on a loop that is not this thread's.
  private static func session() async throws -> NIOLoopBound<HTTP2Session> {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let server = try await ServerBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).get()
    let address = try #require(server.localAddress)
    let channel = try await ClientBootstrap(group: loop).connect(to: address).get()
    return try await loop.submit {
      let session = try HTTP2Session(role: .client, configuration: HTTP2Configuration())
      try channel.pipeline.syncOperations.addHandler(ConnectionHandler(session: session) { _ in })
      return NIOLoopBound(session, eventLoop: loop)
    }.get()
  }

  /// What is in the box, whatever the thread.
  private static func stolen(_ bound: NIOLoopBound<HTTP2Session>) async throws -> HTTP2Session {
    let address = try await bound.eventLoop.submit {
      UInt(bitPattern: Unmanaged.passRetained(bound.value).toOpaque())
    }.get()
    let pointer = try #require(UnsafeRawPointer(bitPattern: address))
    return Unmanaged<HTTP2Session>.fromOpaque(pointer).takeUnretainedValue()
  }

  @Test func aSessionIsReachedOnItsLoopAlone() async {
    await #expect(processExitsWith: .failure) {
      try await LoopAssertionTests.stolen(LoopAssertionTests.session()).submitGoAway(errorCode: .noError)
    }
    await #expect(processExitsWith: .failure) {
      let session = try await LoopAssertionTests.stolen(LoopAssertionTests.session())
      try [0].withUnsafeBytes { try session.receive($0) }
    }
    await #expect(processExitsWith: .success) {
      let bound = try await LoopAssertionTests.session()
      try await bound.eventLoop.submit { bound.value.submitGoAway(errorCode: .noError) }.get()
    }
  }

  @Test func aQueueOfDeadlinesIsReachedOnItsLoopAlone() async {
    await #expect(processExitsWith: .failure) {
      final class Holder: DeadlineHolder {
        var deadlineIndex = -1
        func deadlineExceeded() {}
      }
      DeadlineQueue(MultiThreadedEventLoopGroup.singleton.next()).add(Holder(), at: .distantFuture)
    }
  }
}
#endif
