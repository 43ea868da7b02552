// SPDX-License-Identifier: Apache-2.0

/// JSON, written straight into bytes.
struct JSONText {
  private(set) var bytes: [UInt8] = []

  /// Characters as they are.
  mutating func raw(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  /// A string with its quotes (RFC 8259 §7). U+2028, U+2029 and `<` are escaped too, so that the text is safe inside
  /// of JavaScript and HTML.
  mutating func string(_ text: String) {
    bytes.append(0x22)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": raw("\\\"")
      case "\\": raw("\\\\")
      case "\n": raw("\\n")
      case "\r": raw("\\r")
      case "\t": raw("\\t")
      case "<", "\u{2028}", "\u{2029}", "\u{0}"..<" ", "\u{7F}": escape(scalar.value)
      default: bytes.append(contentsOf: UTF8.encode(scalar)!)  // every scalar has UTF-8
      }
    }
    bytes.append(0x22)
  }

  /// The elements with commas between them.
  mutating func list<Elements: Sequence>(
    _ elements: Elements, _ write: (inout JSONText, Elements.Element) -> Void
  ) {
    var isFirst = true
    for element in elements {
      if !isFirst { bytes.append(0x2C) }
      isFirst = false
      write(&self, element)
    }
  }

  private mutating func escape(_ value: UInt32) {
    raw("\\u")
    for shift: UInt32 in [12, 8, 4, 0] {
      let nibble = UInt8(truncatingIfNeeded: value >> shift) & 0xF
      bytes.append(nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10)
    }
  }
}
