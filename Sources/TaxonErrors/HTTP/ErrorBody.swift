// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A failed call as a JSON answer over HTTP says it, in the form of OctoLLM's standard:
/// `{"error": code, "message": text, "details": {…}, "retry_after": seconds}`. The last is there only when a time is known.
public struct ErrorBody: Hashable, Sendable {
  /// The HTTP status of the answer.
  public let httpStatus: Int
  /// For `Retry-After`: whole seconds, rounded up.
  public let retryAfter: Int64?
  /// The body: UTF-8, of `application/json`.
  public let json: [UInt8]
  /// Names this occurrence, here and in the log.
  public let instanceID: String

  /// The answer for an error. Details are its safe fields, with the types that JSON has for them.
  public init(_ error: some TaxonomyError) {
    self.init(sent: asSent(error))
  }

  /// The answer for anything thrown. What is not a taxonomy error, and has no conversion to one, becomes `INTERNAL_ERROR`
  /// with nothing of what it says.
  public init(_ error: some Error) {
    self.init(sent: asSent(RPCError.lift(error)))
  }

  private init(sent error: any TaxonomyError) {
    httpStatus = WireFacts.httpStatus(error.httpStatus, error.status)
    retryAfter = error.retryAfter.map(\.waitSeconds)
    instanceID = InstanceID(error.instanceID).text
    var members: [JSONValue.Member] = [
      .init("error", .string(error.code)), .init("message", .string(error.message)),
      .init("details", .object(JSONDetails(error).fields)),
    ]
    if let retryAfter { members.append(.init("retry_after", .int(retryAfter))) }
    json = JSONValue.object(members).body
  }
}

/// The safe fields of an error as JSON.
///
/// Which fields are safe, and that they are set, is known from the metadata; how they are typed, from the schema. Lists
/// of messages are left out but for violations; a text that stands for no declared field stays a text.
struct JSONDetails {
  let fields: [JSONValue.Member]

  init(_ error: any TaxonomyError) {
    guard let error = error as? any DeclaredError else {
      fields = error.metadata.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }
      return
    }
    fields = Self.fields(of: error)
  }

  private static func fields<Declared: DeclaredError>(of error: Declared) -> [JSONValue.Member] {
    let metadata = error.metadata
    return Declared.descriptor.fields.compactMap { field in
      if let text = metadata[field.name] { return .init(field.name, value(text, of: field, in: error)) }
      if field.type.messageType == Google_Rpc_BadRequest.FieldViolation.self {
        return .init(field.name, violations(error.violations))
      }
      return nil
    }
  }

  private static func value(
    _ text: String, of field: TaxonProtobuf.Field, in error: some DeclaredError
  ) -> JSONValue {
    let isList = field.type.label == .repeated || field.type.label == .packed
    guard isList else { return scalar(text, field.type.kind) }
    if field.type.kind == .string {
      // The text has the elements joined, and cannot say where a comma is an element's own.
      return .array(strings(field.number, in: error).map { .string($0) })
    }
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
    .array(violations.map { ["field": .string($0.field), "message": .string($0.description)] })
  }

  /// The elements of a repeated string, straight from the encoded message.
  private static func strings(_ number: UInt32, in error: some DeclaredError) -> [String] {
    let fields = (try? Google_Protobuf_Empty(decoding: error.encoded()))?.unknownFields
    return fields?.lengthDelimited(number).map { String(decoding: $0, as: UTF8.self) } ?? []
  }
}
