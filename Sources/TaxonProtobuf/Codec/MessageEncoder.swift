// SPDX-License-Identifier: Apache-2.0

import CProtobufC

/// A message that is ready to be packed: its size is known, and the caller chooses where the bytes go.
public struct MessageEncoder: ~Copyable {
  /// Bytes that the encoded message takes.
  public let byteCount: Int

  private let message: UnsafePointer<ProtobufCMessage>

  @usableFromInline
  init(_ writer: MessageWriter) throws(MessageEncodingError) {
    self.init(part: writer)
    if let missing = writer.arena.state.pointee.missing {
      let descriptor = missing.descriptor.takeUnretainedValue()
      throw MessageEncodingError(
        reason: .missingRequiredField(descriptor.fields[missing.field].name), messageName: descriptor.name)
    }
    // protobuf's own bound, and protobuf-c's: it refuses lengths above it.
    guard byteCount <= Int(Int32.max) else {
      throw MessageEncodingError(
        reason: .tooLarge(byteCount: byteCount), messageName: MessageDescriptor.of(writer.base).name)
    }
  }

  /// Of a part of a message, whose size is checked together with the rest of it.
  init(part writer: MessageWriter) {
    message = UnsafePointer(writer.base.assumingMemoryBound(to: ProtobufCMessage.self))
    byteCount = protobuf_c_message_get_packed_size(message)
  }

  /// Writes the message to the start of `destination`, which must have `byteCount` bytes at least.
  ///
  /// Returns the number of bytes, `byteCount`.
  @discardableResult
  public func pack(into destination: UnsafeMutableRawBufferPointer) -> Int {
    precondition(destination.count >= byteCount, "the destination is smaller than the message")
    guard byteCount > 0, let start = destination.baseAddress else { return 0 }
    return protobuf_c_message_pack(message, start.assumingMemoryBound(to: UInt8.self))
  }

  /// The encoded message as an array of its own.
  public func bytes() -> [UInt8] {
    var bytes = [UInt8](unfilled: byteCount)
    bytes.withUnsafeMutableBytes { _ = pack(into: $0) }
    return bytes
  }
}
