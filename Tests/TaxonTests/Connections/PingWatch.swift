// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonFixtures

/// The frames of a peer, one after the other, out of bytes as they come.
struct FrameReader {
  private var received = ByteBuffer()
  private var isBehindPreface: Bool

  /// - Parameter hasPreface: Whether the peer is a client, which begins with 24 bytes that are no frame (RFC 9113 §3.4).
  init(hasPreface: Bool) { isBehindPreface = !hasPreface }

  /// Takes bytes, and returns the type and flags of each frame that is complete now.
  mutating func read(_ bytes: ByteBuffer) -> [(type: UInt8, flags: UInt8)] {
    received.writeImmutableBuffer(bytes)
    if !isBehindPreface, received.readableBytes >= 24 {
      received.moveReaderIndex(forwardBy: 24)
      isBehindPreface = true
    }
    var frames: [(type: UInt8, flags: UInt8)] = []
    while isBehindPreface, let head = received.getBytes(at: received.readerIndex, length: 9) {
      let size = 9 + (Int(head[0]) << 16) + (Int(head[1]) << 8) + Int(head[2])
      guard received.readableBytes >= size else { break }
      received.moveReaderIndex(forwardBy: size)
      frames.append((head[3], head[4]))
    }
    return frames
  }
}

/// Counts the PINGs that a peer sends of its own accord.
final class PingWatch: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let pings: Tally
  private var frames: FrameReader

  init(_ pings: Tally, hasPreface: Bool) {
    self.pings = pings
    frames = FrameReader(hasPreface: hasPreface)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    for frame in frames.read(unwrapInboundIn(data)) where frame.type == 6 && frame.flags & 1 == 0 { pings.add() }
    context.fireChannelRead(data)
  }
}
