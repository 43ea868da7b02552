// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The value of an error's field in JSON.
enum JSONValue {
  case text(String)
  /// A number or a truth value, as JSON spells it.
  case literal(String)
  case list([JSONValue])
  case violations([Google_Rpc_BadRequest.FieldViolation])

  /// A scalar from its text. Numbers that JSON cannot spell, and whole numbers that readers in JavaScript would round,
  /// stay texts.
  init(_ text: String, of kind: FieldKind) {
    switch kind {
    case .int32, .uint32, .sint32, .fixed32, .sfixed32, .bool:
      self = .literal(text)
    case .int64, .uint64, .sint64, .fixed64, .sfixed64:
      let isExact = Int64(text).map { $0.magnitude <= 1 << 53 } ?? false
      self = isExact ? .literal(text) : .text(text)
    case .double, .float:
      self = Double(text).map(\.isFinite) == true ? .literal(text) : .text(text)
    case .string, .bytes, .enum, .message:
      self = .text(text)
    }
  }

  func write(to json: inout JSONText) {
    switch self {
    case .text(let text): json.string(text)
    case .literal(let text): json.raw(text)
    case .list(let values):
      json.raw("[")
      json.list(values) { json, value in value.write(to: &json) }
      json.raw("]")
    case .violations(let violations):
      json.raw("[")
      json.list(violations) { json, violation in
        json.raw(#"{"field":"#)
        json.string(violation.field)
        json.raw(#","message":"#)
        json.string(violation.description)
        json.raw("}")
      }
      json.raw("]")
    }
  }
}
