// SPDX-License-Identifier: Apache-2.0

/// Percent-encoding of URIs (RFC 3986 §2.1).
package enum PercentCoding {
  /// The byte that `%XX` at the beginning of the text stands for; nil when that is not there.
  package static func byte<Text: Collection>(_ text: Text) -> UInt8? where Text.Element == UInt8 {
    var iterator = text.makeIterator()
    guard iterator.next() == UInt8(ascii: "%"), let high = iterator.next().flatMap(digit),
      let low = iterator.next().flatMap(digit)
    else { return nil }
    return high << 4 | low
  }

  /// A byte as `%XX`.
  package static func encoded(_ byte: UInt8) -> String {
    let text = String(byte, radix: 16, uppercase: true)
    return text.count == 1 ? "%0\(text)" : "%\(text)"
  }

  /// The text that percent-encoded bytes stand for; nil when a percent sign has no two digits behind it, or when the result
  /// is not UTF-8.
  ///
  /// - Parameters:
  ///   - keepsSlashes: Leaves `%2F` as it is, for text with other slashes in it.
  ///   - plusIsSpace: Reads `+` as a space, as HTML's forms write it (application/x-www-form-urlencoded).
  package static func decode(
    _ text: UnsafeBufferPointer<UInt8>, keepsSlashes: Bool = false, plusIsSpace: Bool = false
  ) -> String? {
    guard text.contains(where: { $0 == UInt8(ascii: "%") || plusIsSpace && $0 == UInt8(ascii: "+") }) else {
      return String(validating: text, as: UTF8.self)
    }
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: "%"):
        guard let byte = byte(text[index...]) else { return nil }
        if keepsSlashes, byte == UInt8(ascii: "/") {
          result += text[index..<(index + 3)]
        } else {
          result.append(byte)
        }
        index += 3
      case UInt8(ascii: "+") where plusIsSpace:
        result.append(UInt8(ascii: " "))
        index += 1
      default:
        result.append(text[index])
        index += 1
      }
    }
    return String(validating: result, as: UTF8.self)
  }

  /// Whether percent-encoded bytes stand for a text, without making it.
  package static func isEqual(_ text: UnsafeBufferPointer<UInt8>, to decoded: [UInt8]) -> Bool {
    guard text.count >= decoded.count, text.count <= 3 * decoded.count else { return false }
    var index = 0
    for expected in decoded {
      guard index < text.count else { return false }
      if text[index] == UInt8(ascii: "%") {
        guard byte(text[index...]) == expected else { return false }
        index += 3
      } else {
        guard text[index] == expected else { return false }
        index += 1
      }
    }
    return index == text.count
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
