// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Takes the Base64 of a body apart that comes in pieces: groups of four characters, of which any may end with padding, after
/// which the next begins (gRPC-Web, "application/grpc-web-text").
struct Base64Text {
  /// Characters of a group that is not complete.
  private var group: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)
  private var count = 0

  init() {}

  /// True between two groups.
  var isAtBoundary: Bool { count == 0 }

  /// Appends the bytes of all groups that are complete with a piece of text.
  ///
  /// - Returns: False when it is not Base64; what it appended up to there is good.
  mutating func decode(_ text: UnsafeRawBufferPointer, into bytes: inout [UInt8]) -> Bool {
    bytes.reserveCapacity(bytes.count + text.count / 4 * 3 + 3)
    for character in text {
      withUnsafeMutableBytes(of: &group) { $0[count] = character }
      count += 1
      guard count == 4 else { continue }
      count = 0
      guard append(to: &bytes) else { return false }
    }
    return true
  }

  private func append(to bytes: inout [UInt8]) -> Bool {
    let padding = UInt8(ascii: "=")
    let size = group.2 == padding ? 1 : group.3 == padding ? 2 : 3
    guard let first = Self.value(group.0), let second = Self.value(group.1) else { return false }
    bytes.append(first << 2 | second >> 4)
    if size == 1 { return group.3 == padding && second & 15 == 0 }
    guard let third = Self.value(group.2) else { return false }
    bytes.append(second << 4 | third >> 2)
    if size == 2 { return third & 3 == 0 }
    guard let fourth = Self.value(group.3) else { return false }
    bytes.append(third << 6 | fourth)
    return true
  }

  private static func value(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
