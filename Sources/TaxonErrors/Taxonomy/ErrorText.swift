// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

// The values of fields as messages and metadata show them. Functions with the name of a type, because generated code
// writes them where a String is wanted.

/// A text as it is.
@inlinable
public func ErrorText(_ value: String) -> String { value }

/// A whole number in decimal digits.
public func ErrorText(_ value: some BinaryInteger) -> String { String(value) }

/// A number in the shortest form that reads back the same; whole numbers without a fraction.
public func ErrorText(_ value: Double) -> String {
  let text = value.description
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// A number in the shortest form that reads back the same; whole numbers without a fraction.
public func ErrorText(_ value: Float) -> String {
  let text = value.description
  return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

/// "true" or "false".
public func ErrorText(_ value: Bool) -> String { value ? "true" : "false" }

/// The name in the schema, or the number where there is none.
public func ErrorText(_ value: some ProtobufEnum) -> String { value.description }

/// Bytes in Base64, as in protobuf's JSON.
public func ErrorText(_ value: [UInt8]) -> String {
  String(decoding: Base64.encode(value, isPadded: true), as: UTF8.self)
}

/// The elements, joined by commas.
public func ErrorText(_ values: [String]) -> String { values.joined(separator: ", ") }

/// The elements, joined by commas.
public func ErrorText(_ values: [some BinaryInteger]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [Double]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [Float]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [Bool]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [some ProtobufEnum]) -> String { join(values) { ErrorText($0) } }

/// The elements, joined by commas.
public func ErrorText(_ values: [[UInt8]]) -> String { join(values) { ErrorText($0) } }

private func join<Value>(_ values: [Value], _ text: (Value) -> String) -> String {
  values.map(text).joined(separator: ", ")
}
