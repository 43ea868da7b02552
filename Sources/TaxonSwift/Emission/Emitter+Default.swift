// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// `[default = …]` as Swift writes it.
extension Emitter {
  /// nil where the schema says nothing, or what this generator does not understand.
  func declaredDefault(_ field: SchemaField) -> String? {
    guard let text = field.defaultText else { return nil }
    switch field.type {
    case .scalar(.float), .scalar(.double): return Self.number(text)
    case .scalar(.string): return CodeWriter.literal(text)
    case .scalar(.bytes): return "[\(Self.bytes(text).map { String($0) }.joined(separator: ", "))]"
    case .scalar(.bool): return Bool(text)?.description
    case .scalar: return Int64(text) == nil && UInt64(text) == nil ? nil : text
    case .enumeration(let enumeration):
      let index = enumeration.values.firstIndex { $0.name == text }
      return index.map { ".\(names.cases(enumeration)[$0])" }
    case .message: return nil
    }
  }

  private static func number(_ text: String) -> String? {
    switch text {
    case "inf": ".infinity"
    case "-inf": "-.infinity"
    case "nan", "-nan": ".nan"
    // Of an integer literal the sign would be lost.
    case "-0": "-0.0"
    default: Double(text) == nil ? nil : text
    }
  }

  /// protoc writes bytes with the escapes of C (CEscape in strutil.cc).
  private static func bytes(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
        result.append(byte)
        continue
      }
      switch escape {
      case UInt8(ascii: "n"): result.append(10)
      case UInt8(ascii: "r"): result.append(13)
      case UInt8(ascii: "t"): result.append(9)
      case UInt8(ascii: "0")...UInt8(ascii: "3"):
        let digits = [escape] + rest.prefix(2)
        rest = rest.dropFirst(2)
        result.append(digits.reduce(0) { $0 << 3 | ($1 & 7) })
      default: result.append(escape)
      }
    }
    return result
  }
}
