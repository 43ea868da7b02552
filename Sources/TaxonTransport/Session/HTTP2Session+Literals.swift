// SPDX-License-Identifier: Apache-2.0
import CNghttp2

extension HTTP2Session {
  /// nghttp2 is about to hand out a frame; it closes the stream before it does.
  func noteLiterals(_ frame: UnsafePointer<nghttp2_frame>) {
    let header = frame.pointee.hd
    guard header.type == NGHTTP2_HEADERS.rawValue, header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0 else {
      return
    }
    sentBlock = stream(raw, header.stream_id)?.sendsLastBlock()
  }

  /// Hands out a frame of headers with literals at the end of its block.
  ///
  /// A block is a sequence of fields (RFC 7541 §2.3), of which these leave the peer's table as it is: nghttp2, which
  /// does not know of them, stays in step.
  func drain(
    _ frame: UnsafeRawBufferPointer, with literals: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    let size = frame.count - 9
    // The length is the first three bytes, the type the fourth (RFC 9113 §4.1).
    assert(frame.loadUnaligned(as: UInt32.self).bigEndian == UInt32(size) << 8 | NGHTTP2_HEADERS.rawValue)
    var start = (UInt32(size + literals.count) << 8 | NGHTTP2_HEADERS.rawValue).bigEndian
    withUnsafeBytes(of: &start) { _ = body($0) }
    _ = body(UnsafeRawBufferPointer(rebasing: frame[4...]))
    return body(literals)
  }
}
