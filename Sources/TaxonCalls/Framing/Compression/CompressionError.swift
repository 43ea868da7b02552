// SPDX-License-Identifier: Apache-2.0

/// Why a message could not be compressed or decompressed.
public enum CompressionError: Error, Sendable, Hashable {
  /// Decompressed, the message is larger than the limit, in bytes. How much larger is not known: it is given up there.
  case tooLarge(limit: Int)
  /// The message ends before its compressed data does.
  case truncated
  /// What came is not of the format, or its checksum says that it is not what was sent; in zlib's words.
  case corrupt(String)
  /// The compressed data ends before the message does, by a number of bytes.
  case trailing(Int)
  /// The system gave no memory.
  case outOfMemory
}

extension CompressionError: CustomStringConvertible {
  /// What is wrong, with nothing of the message's content.
  public var description: String {
    switch self {
    case .tooLarge(let limit): "the message is larger than \(limit) bytes when it is decompressed"
    case .truncated: "the compressed message ends too early"
    case .corrupt(let reason): "the compressed message is corrupt: \(reason)"
    case .trailing(let count): "\(count) bytes follow the compressed message"
    case .outOfMemory: "there is no memory for a compressed message"
    }
  }
}
