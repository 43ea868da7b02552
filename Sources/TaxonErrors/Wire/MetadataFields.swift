// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Makes an error from the metadata of its ErrorInfo: for peers that send no typed error, and for those whose budget did
/// not let it pass. Texts, whole numbers and truth values come back; what else a field may be does not.
struct MetadataFields {
  private let metadata: [String: String]

  init(_ metadata: [String: String]) {
    self.metadata = metadata
  }

  /// The error with those of its fields that are there; nil when it has fields and none of them is.
  func make<Declared: DeclaredError>(_ type: Declared.Type) -> Declared? {
    let fields = type.descriptor.fields
    var bytes = ProtobufBytes()
    var isFound = fields.isEmpty
    for field in fields where field.type.label == .implicit || field.type.label == .optional {
      guard let text = metadata[field.name], field.number <= ProtobufBytes.greatestField else { continue }
      if write(text, field, to: &bytes) { isFound = true }
    }
    return isFound ? try? Declared(decoding: bytes.bytes) : nil
  }

  private func write(_ text: String, _ field: Field, to bytes: inout ProtobufBytes) -> Bool {
    let number = UInt8(field.number)
    let value: UInt64?
    switch field.type.kind {
    case .string:
      bytes.header(number, count: text.utf8.count)
      bytes.raw(text)
      return true
    case .int32: value = Int32(text).map { UInt64(bitPattern: Int64($0)) }
    case .int64: value = Int64(text).map { UInt64(bitPattern: $0) }
    case .uint32: value = UInt32(text).map { UInt64($0) }
    case .uint64: value = UInt64(text)
    case .bool: value = text == "true" ? 1 : text == "false" ? 0 : nil
    default: value = nil
    }
    guard let value else { return false }
    bytes.varint(number, value)
    return true
  }
}
