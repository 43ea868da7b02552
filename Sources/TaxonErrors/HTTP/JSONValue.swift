// SPDX-License-Identifier: Apache-2.0

/// A JSON value whose members keep their order. JSON that does not belong to a message (TaxonProtobuf prints those) is written by this
/// type alone.
package enum JSONValue: Hashable, Sendable {
  case string(String)
  /// A number, a truth value or null, as JSON spells it.
  case literal(String)
  /// JSON in UTF-8 that somebody else has written: what TaxonProtobuf has printed of a message.
  case written([UInt8])
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
  package var body: [UInt8] {
    var writer = JSONWriter()
    writer.value(self)
    return writer.bytes
  }

  /// On one line with spaces, for people: only what must be escaped is.
  package var line: String {
    var writer = JSONWriter(isForPeople: true)
    writer.value(self)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
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
