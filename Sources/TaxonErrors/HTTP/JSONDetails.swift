// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The safe fields of an error as JSON.
///
/// Which fields are safe, and that they are set, is known from the metadata; how they are typed, from the schema. Lists
/// of messages are left out but for violations; a text that stands for no declared field stays a text.
struct JSONDetails {
  struct Field {
    var name: String
    var value: JSONValue
  }

  let fields: [Field]

  init(_ error: any TaxonomyError) {
    guard let error = error as? any DeclaredError else {
      fields = error.metadata.sorted { $0.key < $1.key }.map { Field(name: $0.key, value: .text($0.value)) }
      return
    }
    fields = Self.fields(of: error)
  }

  private static func fields<Declared: DeclaredError>(of error: Declared) -> [Field] {
    let metadata = error.metadata
    return Declared.descriptor.fields.compactMap { field in
      if let text = metadata[field.name] { return Field(name: field.name, value: value(text, of: field, in: error)) }
      if field.type.messageType == Google_Rpc_BadRequest.FieldViolation.self {
        return Field(name: field.name, value: .violations(error.violations))
      }
      return nil
    }
  }

  private static func value(
    _ text: String, of field: TaxonProtobuf.Field, in error: some DeclaredError
  ) -> JSONValue {
    let isList = field.type.label == .repeated || field.type.label == .packed
    guard isList else { return JSONValue(text, of: field.type.kind) }
    if field.type.kind == .string {
      // The text has the elements joined, and cannot say where a comma is an element's own.
      return .list(strings(field.number, in: error).map { .text($0) })
    }
    guard !text.isEmpty else { return .list([]) }
    return .list(text.split(separator: ", ").map { JSONValue(String($0), of: field.type.kind) })
  }

  /// The elements of a repeated string, straight from the encoded message.
  private static func strings(_ number: UInt32, in error: some DeclaredError) -> [String] {
    let fields = (try? Google_Protobuf_Empty(decoding: error.encoded()))?.unknownFields
    return fields?.lengthDelimited(number).map { String(decoding: $0, as: UTF8.self) } ?? []
  }
}
