// SPDX-License-Identifier: Apache-2.0

/// The paths of a FieldMask: snake_case in the message, lowerCamelCase in JSON.
enum FieldMaskPath {
  /// nil where the way back would lead elsewhere: for capitals, and for underscores without a small letter behind.
  static func camelCase(_ path: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(path.count)
    var isBehindUnderscore = false
    for byte in path {
      if isBehindUnderscore {
        guard isSmall(byte) else { return nil }
        result.append(byte - 32)
        isBehindUnderscore = false
      } else if byte == UInt8(ascii: "_") {
        isBehindUnderscore = true
      } else {
        guard isPlain(byte), !isCapital(byte) else { return nil }
        result.append(byte)
      }
    }
    return isBehindUnderscore || path.isEmpty ? nil : result
  }

  /// nil for underscores, and for what no name of a field has.
  static func snakeCase(_ path: some Sequence<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    for byte in path {
      guard byte != UInt8(ascii: "_"), isPlain(byte) else { return nil }
      if isCapital(byte) {
        result.append(UInt8(ascii: "_"))
        result.append(byte + 32)
      } else {
        result.append(byte)
      }
    }
    return result.isEmpty ? nil : result
  }

  private static func isSmall(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

  private static func isCapital(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }

  private static func isPlain(_ byte: UInt8) -> Bool {
    isSmall(byte) || isCapital(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
  }
}
