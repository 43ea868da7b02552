// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Names one occurrence of an error.
enum InstanceID: Hashable, Sendable {
  /// Made here, and written with 16 hexadecimal digits.
  case own(UInt64)
  /// It came with the error.
  case given(String)

  /// Digits of one that is made here.
  static let count = 16

  private static let counter = Atomic<UInt64>(UInt64.random(in: .min ... .max))

  /// The one that came with the error, or a new one. No secret, only unlikely to meet again: a counter that starts at
  /// random, stirred by SplitMix64's finalizer, which never maps two numbers to one.
  init(_ given: String?) {
    if let given {
      self = .given(given)
      return
    }
    var bits = Self.counter.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    self = .own(bits ^ (bits >> 31))
  }

  var text: String {
    switch self {
    case .given(let text): text
    case .own(let bits):
      String(unsafeUninitializedCapacity: Self.count) { buffer in
        if let start = buffer.baseAddress { Self.write(bits, to: start) }
        return Self.count
      }
    }
  }

  /// Writes the digits of one that is made here.
  static func write(_ bits: UInt64, to target: UnsafeMutablePointer<UInt8>) {
    for index in 0..<count {
      let nibble = UInt8(truncatingIfNeeded: bits >> (60 - 4 * UInt64(index))) & 0xF
      target[index] = nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10
    }
  }
}
