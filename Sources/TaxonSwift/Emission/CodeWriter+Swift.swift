// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Lines as Swift has them.
extension CodeWriter {
  /// `head {`, the body, `}`.
  func block(_ head: String, _ body: () -> Void) {
    line("\(head) {")
    indented(body)
    line("}")
  }

  /// Writes a comment as documentation, without the lines for the generator; one sentence where there is no comment.
  func documentation(_ comment: String?, _ sentence: String) {
    for text in Documentation.lines(comment, sentence) { line(text.isEmpty ? "///" : "/// \(text)") }
  }

  /// A computed property of one expression: on one line where it fits.
  func computed(_ head: String, _ value: String) {
    let whole = "\(head) { \(value) }"
    if fits(whole) { return line(whole) }
    block(head) { line(value) }
  }

  /// A function with its body.
  func function(_ head: String, _ parameters: [String], _ tail: String, _ body: () -> Void) {
    list("\(head)(", parameters, ")\(tail) {", closing: .ownLine)
    indented(body)
    line("}")
  }

  /// A Swift string literal.
  static func literal(_ text: String) -> String { "\"\(escaped(text))\"" }

  /// Text as it stands inside a string literal.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
