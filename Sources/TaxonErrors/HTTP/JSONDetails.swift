// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The safe fields of an error as JSON, by their names in the schema and in its order.
///
/// Which scalars are safe, and that they are set, is known from the metadata; how they are typed, from the schema. Fields that hold
/// messages are printed as protobuf's JSON, out of the safe payload; violations as the standard has them. A text that stands for no
/// declared field stays a text.
struct JSONDetails {
  let members: [JSONValue.Member]

  init(_ error: any TaxonomyError) {
    guard let error = error as? any DeclaredError else {
      members = error.metadata.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }
      return
    }
    members = Self.members(of: error)
  }

  /// Standard details as members of a problem (RFC 9457 §3.2), by the names that google/rpc/error_details.proto has for them. What the
  /// thrower added stands for what the schema derives.
  static func derived(_ error: any TaxonomyError, requestID: String?) -> [JSONValue.Member] {
    let declared = (error as? any DeclaredError)?.derivedDetails ?? DerivedDetails()
    let added = error.context.ownDetails
    var members: [JSONValue.Member] = []
    func add(_ name: String, _ messages: [some Message]) {
      let options = JSONEncodingOptions(usesOriginalNames: true)
      let values = messages.compactMap { try? $0.jsonBytes(options: options) }.map { JSONValue.written($0) }
      if !values.isEmpty { members.append(.init(name, .array(values))) }
    }
    if let requestID = added.requestInfo?.requestID ?? requestID {
      members.append(.init("request_id", .string(requestID)))
    }
    let resources = added.all(Google_Rpc_ResourceInfo.self)
    add("resources", resources.isEmpty ? declared.resources : resources)
    add("quota", added.quotaFailure?.violations ?? declared.quota)
    add("preconditions", added.preconditionFailure?.violations ?? declared.preconditions)
    add("help", added.help?.links ?? declared.help)
    return members
  }

  private static func members<Declared: DeclaredError>(of error: Declared) -> [JSONValue.Member] {
    let metadata = error.metadata
    return Declared.descriptor.fields.compactMap { field in
      if let text = metadata[field.name] { return .init(field.name, value(text, of: field, in: error)) }
      guard field.type.kind == .message else { return nil }
      if field.type.messageType == Google_Rpc_BadRequest.FieldViolation.self {
        return .init(field.name, violations(error.violations))
      }
      return message(field.number, of: error).map { .init(field.name, $0) }
    }
  }

  private static func value(
    _ text: String, of field: TaxonProtobuf.Field, in error: some DeclaredError
  ) -> JSONValue {
    let isList = field.type.label == .repeated || field.type.label == .packed
    guard isList else { return scalar(text, field.type.kind) }
    if field.type.kind == .string {
      // The text has the elements joined, and cannot say where a comma is an element's own.
      return .array(elements(field.number, in: error).map { .string(String(decoding: $0, as: UTF8.self)) })
    }
    // Nor, of bytes, whether there is none or an empty one.
    if field.type.kind == .bytes { return .array(elements(field.number, in: error).map { .string(ErrorText($0)) }) }
    guard !text.isEmpty else { return .array([]) }
    return .array(text.split(separator: ", ").map { scalar(String($0), field.type.kind) })
  }

  /// A scalar from its text. Numbers that JSON cannot spell, and whole numbers that readers in JavaScript would round,
  /// stay texts.
  private static func scalar(_ text: String, _ kind: FieldKind) -> JSONValue {
    switch kind {
    case .int32, .uint32, .sint32, .fixed32, .sfixed32, .bool:
      return .literal(text)
    case .int64, .uint64, .sint64, .fixed64, .sfixed64:
      let isExact = Int64(text).map { $0.magnitude <= 1 << 53 } ?? false
      return isExact ? .literal(text) : .string(text)
    case .double, .float:
      return Double(text).map(\.isFinite) == true ? .literal(text) : .string(text)
    case .string, .bytes, .enum, .message:
      return .string(text)
    }
  }

  private static func violations(_ violations: [Google_Rpc_BadRequest.FieldViolation]) -> JSONValue {
    .array(
      violations.map { violation in
        var members: [JSONValue.Member] = [
          .init("field", .string(violation.field)), .init("message", .string(violation.description)),
        ]
        if !violation.reason.isEmpty { members.append(.init("type", .string(violation.reason))) }
        return .object(members)
      })
  }

  /// The elements of a repeated string or of repeated bytes, straight from the encoded message.
  private static func elements(_ number: UInt32, in error: some DeclaredError) -> [[UInt8]] {
    let fields = (try? Google_Protobuf_Empty(decoding: error.encoded()))?.unknownFields
    return fields?.lengthDelimited(number).map { Array($0) } ?? []
  }

  /// A field that holds messages; nil where it is not set or has no JSON form.
  private static func message<Declared: DeclaredError>(_ number: UInt32, of error: Declared) -> JSONValue? {
    // The error with that field alone.
    guard let fields = try? Google_Protobuf_Empty(decoding: error.safePayload.encoded()).unknownFields,
      let encoded = fields.fields(number), let alone = try? Declared(decoding: encoded),
      let json = try? alone.jsonBytes(options: JSONEncodingOptions(usesOriginalNames: true)),
      let colon = json.firstIndex(of: UInt8(ascii: ":"))
    else { return nil }
    return .written(Array(json[(colon + 1)..<(json.count - 1)]))
  }
}
