// SPDX-License-Identifier: Apache-2.0

/// A JSON value whose members keep their order. JSON that does not belong to a message (TaxonProtobuf prints those) is written by this
/// type alone.
package enum JSONValue: Hashable, Sendable {
  case string(String)
  /// A number, a truth value or null, as JSON spells it.
  case literal(String)
  case array([JSONValue])
  case object([Member])

  package struct Member: Hashable, Sendable {
    package var name: String
    package var value: JSONValue

    package init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// Without spaces, for the body of an answer: U+2028, U+2029, U+007F and `<` are escaped too, so that the text is safe
  /// inside of JavaScript and HTML.
  package var body: [UInt8] { Writer.written(self, isForPeople: false) }

  /// On one line with spaces, for people: only what must be escaped is.
  package var line: String { String(decoding: Writer.written(self, isForPeople: true), as: UTF8.self) }
}

extension JSONValue {
  package static var null: JSONValue { .literal("null") }

  package static func bool(_ value: Bool) -> JSONValue { .literal(value ? "true" : "false") }

  package static func int(_ value: some FixedWidthInteger) -> JSONValue { .literal("\(value)") }

  /// Null for what is not a number, and for what is infinite: JSON cannot say these.
  package static func double(_ value: Double) -> JSONValue { value.isFinite ? .literal("\(value)") : .null }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByDictionaryLiteral {
  package init(stringLiteral value: String) { self = .string(value) }
  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(elements.map { Member($0.0, $0.1) })
  }
}

extension JSONValue {
  /// Writes straight into bytes.
  private struct Writer {
    let isForPeople: Bool
    var bytes: [UInt8] = []

    static func written(_ value: JSONValue, isForPeople: Bool) -> [UInt8] {
      var writer = Writer(isForPeople: isForPeople)
      writer.value(value)
      return writer.bytes
    }

    mutating func value(_ value: JSONValue) {
      switch value {
      case .string(let text): string(text)
      case .literal(let text): raw(text)
      case .array(let values): list("[", values, "]") { $0.value($1) }
      case .object(let members):
        list("{", members, "}") { writer, member in
          writer.string(member.name)
          writer.raw(writer.isForPeople ? ": " : ":")
          writer.value(member.value)
        }
      }
    }

    private mutating func list<Element>(
      _ opening: String, _ elements: [Element], _ closing: String, _ write: (inout Writer, Element) -> Void
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

    /// A string with its quotes (RFC 8259 §7).
    private mutating func string(_ text: String) {
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

    private mutating func plain(_ scalar: Unicode.Scalar) {
      bytes.append(contentsOf: UTF8.encode(scalar)!)  // every scalar has UTF-8
    }

    private mutating func raw(_ text: String) {
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
}
