// SPDX-License-Identifier: Apache-2.0

/// The system's random numbers. With something in it, since the thread sanitizer takes the addresses of empty values that
/// are passed inout for those of other things.
struct SystemGenerator: RandomNumberGenerator {
  private var count: UInt64 = 0

  mutating func next() -> UInt64 {
    count &+= 1
    var generator = SystemRandomNumberGenerator()
    return generator.next()
  }
}
