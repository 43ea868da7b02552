// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonProtobuf

/// Base64 of all lengths around the groups that are read and written at once, with what is in the way of that.
@Suite struct Base64Tests {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// Bit by bit, as RFC 4648 §4 says it.
  private func encoded(_ bytes: [UInt8]) -> [UInt8] {
    let bits = bytes.flatMap { byte in (0..<8).reversed().map { byte >> $0 & 1 } }
    let whole = bits + Array(repeating: 0, count: (6 - bits.count % 6) % 6)
    let text = stride(from: 0, to: whole.count, by: 6).map { start in
      Self.alphabet[whole[start..<start + 6].reduce(0) { Int($0) << 1 | Int($1) }]
    }
    return text + Array(repeating: UInt8(ascii: "="), count: (4 - text.count % 4) % 4)
  }

  private func decoded(_ text: [UInt8]) -> [UInt8]? { text.withUnsafeBufferPointer { Base64.decode($0) } }

  private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count) } }

  @Test(arguments: 0...70) func anyLengthIsReadAndWritten(_ count: Int) {
    let bytes = bytes(count)
    let text = encoded(bytes)
    #expect(Base64.encode(bytes, isPadded: true) == text)
    #expect(decoded(text) == bytes)
    #expect(decoded(text.filter { $0 != UInt8(ascii: "=") }) == bytes)
  }

  @Test(arguments: [1, 2, 3, 9, 10, 24, 25, 26]) func aCharacterThatIsNoneOfThemIsRefusedWhereverItStands(_ count: Int)
  {
    let text = encoded(bytes(count)).filter { $0 != UInt8(ascii: "=") }
    for place in text.indices {
      for wrong: UInt8 in [0, UInt8(ascii: " "), UInt8(ascii: "="), UInt8(ascii: "."), 0x80, 0xFF] {
        var text = text
        text[place] = wrong
        // At the end of whole groups it is padding.
        if wrong == UInt8(ascii: "="), text.count % 4 == 0, place == text.count - 1 { continue }
        #expect(decoded(text) == nil, "\(wrong) at \(place) of \(count) bytes")
      }
    }
  }

  @Test(arguments: [0, 1, 7, 8, 9, 30, 31]) func inJSONAnyCharacterMayBeEscaped(_ count: Int) throws {
    let bytes = bytes(count)
    let text = encoded(bytes)
    for place in text.indices {
      let escaped = "\\u00" + String(text[place], radix: 16)
      let json = Array("\"".utf8) + text[..<place] + Array(escaped.utf8) + text[(place + 1)...] + Array("\"".utf8)
      #expect(try Google_Protobuf_BytesValue(json: json).value == bytes)
    }
    let plain = Array("\"".utf8) + text + Array("\"".utf8)
    #expect(try Google_Protobuf_BytesValue(json: plain).value == bytes)
  }
}
