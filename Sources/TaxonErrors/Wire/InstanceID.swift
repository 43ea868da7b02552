// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Names one occurrence of an error: 16 hexadecimal digits. No secret, only unlikely to meet again: a counter that
/// starts at random, stirred by SplitMix64's finalizer, which never maps two numbers to one.
enum InstanceID {
  static let count = 16

  private static let counter = Atomic<UInt64>(UInt64.random(in: .min ... .max))

  static func next() -> String {
    var bits = counter.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    bits ^= bits >> 31
    return String(unsafeUninitializedCapacity: count) { buffer in
      for index in 0..<count {
        let nibble = UInt8(truncatingIfNeeded: bits >> (60 - 4 * UInt64(index))) & 0xF
        buffer[index] = nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10
      }
      return count
    }
  }
}
