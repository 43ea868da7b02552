// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon

/// Messages on standard input and output, each after four bytes of its size, the highest first.
enum SizedMessages {
  /// Input ended within a message.
  struct Truncated: Error {}

  /// The next message of standard input, or nil at its end. Blocks.
  static func read<M: Message>(_ type: M.Type = M.self) throws -> M? {
    guard let prefix = try bytes(4) else { return nil }
    let size = prefix.reduce(0) { $0 << 8 | Int($1) }
    guard let bytes = try bytes(size) else { throw Truncated() }
    return try M(decoding: bytes)
  }

  /// Writes a message to standard output, which may be a pipe.
  static func write(_ message: some Message) throws {
    let bytes = try message.encoded()
    let prefix = (0..<4).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> ($0 * 8)) }
    try FileHandle.standardOutput.write(contentsOf: Data(prefix + bytes))
  }

  /// That many bytes; nil when there are none at all.
  private static func bytes(_ count: Int) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      guard let more = try FileHandle.standardInput.read(upToCount: count - bytes.count), !more.isEmpty else {
        if bytes.isEmpty { return nil }
        throw Truncated()
      }
      bytes += more
    }
    return bytes
  }
}
