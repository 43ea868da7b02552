// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The runner's end: each message comes behind its length, four bytes in little-endian order.
enum Pipe {
  private struct Broken: Error {}

  /// The next request; nil when the runner has no more. Throws when the input ends inside a request.
  static func receive() throws -> [UInt8]? {
    guard let length = try bytes(4) else { return nil }
    guard let request = try bytes(length.reversed().reduce(0) { $0 << 8 | Int($1) }) else { throw Broken() }
    return request
  }

  /// Sends a response. Throws when the runner is gone.
  static func send(_ response: [UInt8]) throws {
    let length = (0..<4).map { UInt8(truncatingIfNeeded: response.count >> ($0 * 8)) }
    try (length + response).withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let more = write(
          STDOUT_FILENO, UnsafeRawBufferPointer(rebasing: bytes[sent...]).baseAddress, bytes.count - sent)
        guard more > 0 else { throw Broken() }
        sent += more
      }
    }
  }

  /// So many bytes; nil when the input ends before the first of them.
  private static func bytes(_ count: Int) throws -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let more = bytes.withUnsafeMutableBytes { read(STDIN_FILENO, $0.baseAddress! + filled, count - filled) }
      if more == 0, filled == 0 { return nil }
      guard more > 0 else { throw Broken() }
      filled += more
    }
    return bytes
  }
}
