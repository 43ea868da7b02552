// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import Testing

@testable import TaxonTransport

/// How a connection finds out what its client speaks.
struct FrontDoorTests {
  /// Keeps what comes through the door.
  private final class Room: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var bytes = ByteBuffer()
    var readCompletes = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { bytes.writeImmutableBuffer(unwrapInboundIn(data)) }
    func channelReadComplete(context: ChannelHandlerContext) { readCompletes += 1 }
  }

  private final class Visit {
    let channel = EmbeddedChannel()
    let room = Room()
    var versions: [HTTPVersion] = []
    var failures: [ConnectionFailure?] = []

    init() throws {
      let door = FrontDoor(awaitsTLS: false) { [unowned self] version in
        versions.append(version)
        try channel.pipeline.syncOperations.addHandler(room)
      } closed: { [unowned self] failure in
        failures.append(failure)
      }
      try channel.pipeline.syncOperations.addHandler(door)
      try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\n\r\n", HTTPVersion.http1), ("POST / HTTP/1.1\r\n\r\n", .http1),
    ("PRI * HTTP/1.1\r\n\r\nxxxxxx", .http1),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore", .http2),
  ])
  func whatWasReadGoesThroughWhereverItIsCut(_ text: String, _ version: HTTPVersion) throws {
    let bytes = Array(text.utf8)
    for place in 0...bytes.count {
      let visit = try Visit()
      for part in [bytes[..<place], bytes[place...]] where !part.isEmpty {
        try visit.channel.writeInbound(ByteBuffer(bytes: part))
      }
      #expect(visit.versions == [version])
      #expect(String(buffer: visit.room.bytes) == text)
      // The room learns that a read is complete, or what it has to say would wait for the next one.
      #expect(visit.room.readCompletes >= 1)
      try visit.channel.close().wait()
      #expect(visit.failures.isEmpty)
    }
  }

  @Test(arguments: [[0x16, 3, 1], [0, 0], [0xFF], [UInt8(ascii: " ")]]) func whatIsNoHTTPEndsTheConnection(
    _ bytes: [UInt8]
  ) throws {
    let visit = try Visit()
    try visit.channel.writeInbound(ByteBuffer(bytes: bytes))
    #expect(!visit.channel.isActive)
    #expect(visit.versions.isEmpty)
    #expect(visit.failures.count == 1)
    guard case .otherProtocol? = visit.failures.first ?? nil else {
      Issue.record("\(visit.failures)")
      return
    }
  }

  @Test func aClientThatSaysNothingIsNoFailure() throws {
    let visit = try Visit()
    try visit.channel.writeInbound(ByteBuffer(string: "P"))
    try visit.channel.close().wait()
    #expect(visit.versions.isEmpty)
    #expect(visit.failures.count == 1)
    #expect(visit.failures.first.map { $0 == nil } == true)
  }
}
