// SPDX-License-Identifier: Apache-2.0

/// The random numbers of one dialogue, the same for the same seed on every machine (SplitMix64).
struct RandomSource: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  /// True so many times out of a hundred.
  mutating func percent(_ share: Int) -> Bool { number(0...99) < share }

  mutating func pick<Value>(_ values: [Value]) -> Value { values[number(0...values.count - 1)] }

  /// Random bytes; of many, but the first ones.
  mutating func bytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: next()), count: count)
    for index in 0..<min(count, 16) { bytes[index] = UInt8(truncatingIfNeeded: next()) }
    return bytes
  }
}
