// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// NIO's decoder of requests, driven by hand: it is one of NIO's `ByteToMessageDecoder`s, whose handler costs as much as
/// parsing does.
struct HTTP1Decoder {
  private let decoder: HTTPRequestDecoder
  /// What it has seen and not taken.
  private var rest = ByteBuffer()

  init(_ configuration: HTTP1Configuration) {
    var limits = NIOHTTPDecoderLimitConfiguration()
    // The head's and the trailers', which are counted here already, together.
    limits.maxHeaderFieldSize = configuration.maxHeaderListSize + 1024
    limits.maxHeaderListSize = 2 * configuration.maxHeaderListSize + 1024
    limits.maxHeaderFieldCount = limits.maxHeaderListSize / 3
    decoder = HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)
  }

  /// The handler in whose name it hands on what it reads is in the pipeline.
  func added(_ context: ChannelHandlerContext) { decoder.decoderAdded(context: context) }

  func removed(_ context: ChannelHandlerContext) { decoder.decoderRemoved(context: context) }

  /// Reads a piece. What it does not take, the beginning of a trailer, goes with the next one.
  mutating func decode(_ piece: ByteBuffer, _ context: ChannelHandlerContext) throws {
    var bytes = piece
    if rest.readableBytes > 0 {
      rest.writeImmutableBuffer(piece)
      (bytes, rest) = (rest, ByteBuffer())
    }
    _ = try decoder.decode(context: context, buffer: &bytes)
    if bytes.readableBytes > 0 { rest = bytes }
  }
}
