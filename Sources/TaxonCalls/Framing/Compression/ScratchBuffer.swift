// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// Memory that a codec writes one message to after the other.
struct ScratchBuffer: ~Copyable {
  /// Bytes that are kept from one message to the next; larger memory is given back.
  static let retained = 16_384

  private(set) var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  /// The most bytes that it ever had.
  private(set) var peak = 0

  deinit { free(bytes.baseAddress) }

  /// Makes it larger, if it is smaller; what was written to it stays.
  mutating func grow(to count: Int) throws(CompressionError) {
    guard count > bytes.count else { return }
    guard let memory = realloc(bytes.baseAddress, count) else { throw .outOfMemory }
    bytes = UnsafeMutableRawBufferPointer(start: memory, count: count)
    peak = max(peak, count)
  }

  /// Gives back what is more than it keeps.
  mutating func shrink() {
    guard bytes.count > Self.retained else { return }
    free(bytes.baseAddress)
    bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  }
}
