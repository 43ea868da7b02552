// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Lines as Python has them.
extension CodeWriter {
  /// A writer for a module: four spaces a level, and lines of at most 99 characters (PEP 8).
  static func python() -> CodeWriter { CodeWriter(width: 99, step: "    ") }

  /// `head:` and the body.
  func block(_ head: String, _ body: () -> Void) {
    line("\(head):")
    indented(body)
  }

  /// A docstring: the comment and what comes behind it.
  func docstring(_ lines: [String]) {
    guard !lines.isEmpty else { return }
    var lines = lines.map { $0.replacing("\\", with: "\\\\").replacing("\"\"\"", with: "\\\"\\\"\\\"") }
    if lines.count == 1 {
      if lines[0].hasSuffix("\""), !lines[0].hasSuffix("\\\"") { lines[0] = lines[0].dropLast() + "\\\"" }
      return line("\"\"\"\(lines[0])\"\"\"")
    }
    line("\"\"\"\(lines[0])")
    for text in lines.dropFirst() { line(text) }
    line("\"\"\"")
  }

  /// A property and what it returns.
  func property(_ name: String, _ type: String, _ documentation: [String] = [], _ body: () -> Void) {
    blank()
    line("@property")
    block("def \(name)(self) -> \(type)") {
      docstring(documentation)
      body()
    }
  }

  /// A call or a display whose items stand on lines of their own, each with a comma, where one line does not take them.
  func items(_ head: String, _ items: [String], _ tail: String) {
    let whole = head + items.joined(separator: ", ") + tail
    if fits(whole) { return line(whole) }
    line(head)
    indented { for item in items { line("\(item),") } }
    line(tail)
  }

  /// A string literal.
  static func literal(_ text: String) -> String { "\"\(escaped(text))\"" }

  /// Text as it stands inside a string literal with double quotes.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        result += "\\x\(digits.count == 1 ? "0" : "")\(digits)"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
