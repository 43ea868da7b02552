// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Writes JSON straight into bytes.
///
/// For bodies of answers it has no spaces and also escapes U+2028, U+2029, U+007F and `<`, so that the text is safe inside of
/// JavaScript and HTML. For people it has spaces and escapes what RFC 8259 §7 wants escaped.
struct JSONWriter {
  private let isForPeople: Bool
  private(set) var bytes: [UInt8] = []

  init(isForPeople: Bool = false) {
    self.isForPeople = isForPeople
  }

  mutating func value(_ value: JSONValue) {
    switch value {
    case .string(let text): string(text)
    case .literal(let text): raw(text)
    case .written(let json): written(json)
    case .array(let values): list("[", values, "]") { $0.value($1) }
    case .object(let members):
      list("{", members, "}") { writer, member in
        writer.name(member.name)
        writer.value(member.value)
      }
    }
  }

  /// Elements with brackets around them and commas between them.
  mutating func list<Element>(
    _ opening: String, _ elements: [Element], _ closing: String, _ write: (inout JSONWriter, Element) -> Void
  ) {
    raw(opening)
    var isFirst = true
    for element in elements {
      if !isFirst { raw(isForPeople ? ", " : ",") }
      isFirst = false
      write(&self, element)
    }
    raw(closing)
  }

  /// A member's name, with the colon.
  mutating func name(_ text: String) {
    string(text)
    raw(isForPeople ? ": " : ":")
  }

  /// A string with its quotes (RFC 8259 §7).
  mutating func string(_ text: String) {
    raw("\"")
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": raw("\\\"")
      case "\\": raw("\\\\")
      case "\n": raw("\\n")
      case "\r": raw("\\r")
      case "\t": raw("\\t")
      case "\u{0}"..<" ": escape(scalar.value)
      case "<", "\u{7F}", "\u{2028}", "\u{2029}":
        if isForPeople { plain(scalar) } else { escape(scalar.value) }
      default: plain(scalar)
      }
    }
    raw("\"")
  }

  /// Bytes in base64, as a string with its quotes.
  mutating func base64(_ data: [UInt8], isPadded: Bool) {
    raw("\"")
    bytes += Base64.encode(data, isPadded: isPadded)
    raw("\"")
  }

  /// What is JSON already, spelt as it is. The characters that are escaped for JavaScript and HTML occur in strings alone.
  mutating func written(_ json: [UInt8]) {
    guard !isForPeople else { return bytes += json }
    var index = 0
    while index < json.count {
      switch json[index] {
      case UInt8(ascii: "<"), 0x7F: escape(UInt32(json[index]))
      // U+2028 and U+2029 are E2 80 A8 and E2 80 A9.
      case 0xE2 where index + 2 < json.count && json[index + 1] == 0x80 && json[index + 2] & 0xFE == 0xA8:
        escape(0x2028 | UInt32(json[index + 2] & 1))
        index += 2
      default: bytes.append(json[index])
      }
      index += 1
    }
  }

  private mutating func plain(_ scalar: Unicode.Scalar) {
    bytes.append(contentsOf: UTF8.encode(scalar)!)  // every scalar has UTF-8
  }

  mutating func raw(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  private mutating func escape(_ value: UInt32) {
    raw("\\u")
    for shift: UInt32 in [12, 8, 4, 0] {
      let nibble = UInt8(truncatingIfNeeded: value >> shift) & 0xF
      bytes.append(nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10)
    }
  }
}
