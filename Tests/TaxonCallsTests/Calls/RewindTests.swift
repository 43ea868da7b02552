// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonProtobuf
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

/// What a call has written, when its stream was not processed and it gets another.
@Suite struct RewindTests {
  // Reached on the test's loop alone.
  private final class Streams: @unchecked Sendable {
    let first = HTTP2Stream()
    let second = HTTP2Stream()
  }

  private let loop = NIOAsyncTestingEventLoop()
  private let streams = Streams()

  /// Messages of these sizes for the first stream, of which so many bytes leave; what the second one gets, if anything.
  private func rewound(
    _ sizes: [Int], leaving: Int, mayRewind: Bool = true
  ) async throws -> (given: Int, again: Int?) {
    let outbound = OutboundMessages(eventLoop: loop, mayRewind: mayRewind) { nil }
    try await loop.executeInContext { [streams] in outbound.attach(streams.first) }
    for size in sizes {
      try await outbound.write(Google_Protobuf_BytesValue(value: [UInt8](repeating: 1, count: size)))
      await loop.run()
    }
    return try await loop.executeInContext { [streams] in
      let given = streams.first.waitingCount
      let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: leaving, alignment: 1)
      defer { memory.deallocate() }
      if leaving > 0 { _ = streams.first.readOutbound(into: memory) }
      guard outbound.rewind() else { return (given, nil) }
      outbound.attach(streams.second)
      return (given, streams.second.waitingCount)
    }
  }

  @Test func whatIsKeptIsSentAgainThoughItHasLeft() async throws {
    let (given, again) = try await rewound([100, 20_000, 40_000], leaving: 30_000)
    #expect(given > 60_000)
    #expect(again == given)
  }

  @Test func whatHasNotBegunToLeaveIsAtHandHoweverMuchItIs() async throws {
    let (given, again) = try await rewound([60_000, 500_000], leaving: 0)
    #expect(given > 560_000)
    #expect(again == given)
  }

  @Test func whatIsMoreThanIsKeptAndHasBegunToLeaveIsGone() async throws {
    #expect(try await rewound([60_000, 30_000], leaving: 1).again == nil)
    #expect(try await rewound([100], leaving: 1, mayRewind: false).again == nil)
  }
}
