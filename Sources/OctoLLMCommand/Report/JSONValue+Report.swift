// SPDX-License-Identifier: Apache-2.0
import Taxon

extension JSONValue {
  /// As people read it: strings without quotes, lists with commas.
  var plainText: String {
    switch self {
    case .string(let value): value
    case .literal(let text): text
    case .array(let values): values.map(\.plainText).joined(separator: ", ")
    case .object(let members): members.map { "\($0.name): \($0.value.plainText)" }.joined(separator: ", ")
    }
  }

  init(_ text: String?) { self = text.map { .string($0) } ?? .null }
  init(_ number: (some FixedWidthInteger)?) { self = number.map { .int($0) } ?? .null }
  init(_ texts: [String]) { self = .array(texts.map { .string($0) }) }
}
