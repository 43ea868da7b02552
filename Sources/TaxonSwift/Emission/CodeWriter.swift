// SPDX-License-Identifier: Apache-2.0

/// Writes lines of Swift: indents them and wraps lists that are longer than a line.
final class CodeWriter {
  private(set) var text = ""
  private var depth = 0
  private static let width = 120

  private var indent: String { String(repeating: "  ", count: depth) }

  func line(_ line: String = "") { text += line.isEmpty ? "\n" : indent + line + "\n" }

  func blank() { line() }

  /// Whether the text fits on a line here.
  func fits(_ text: String) -> Bool { indent.count + text.count <= Self.width }

  func indented(_ body: () -> Void) {
    depth += 1
    body()
    depth -= 1
  }

  /// `head {`, the body, `}`.
  func block(_ head: String, _ body: () -> Void) {
    line("\(head) {")
    indented(body)
    line("}")
  }

  /// Writes a comment as documentation, without the lines for the generator; one sentence where there is no comment.
  func documentation(_ comment: String?, _ sentence: String) {
    var lines = (comment ?? "").split(separator: "\n", omittingEmptySubsequences: false).map { line in
      (line.hasPrefix(" ") ? line.dropFirst() : line).trimmingEnd()
    }
    lines.removeAll { $0.hasPrefix("taxon:ignore ") }
    while lines.last?.isEmpty == true { lines.removeLast() }
    while lines.first?.isEmpty == true { lines.removeFirst() }
    if lines.isEmpty { lines = [sentence] }
    for text in lines { line(text.isEmpty ? "///" : "/// \(text)") }
  }

  /// `head` + the items with commas + `tail`: on one line, or the items on lines of their own.
  func list(_ head: String, _ items: [String], _ tail: String, closing: Closing = .attached) {
    let whole = head + items.joined(separator: ", ") + tail
    guard !fits(whole), !items.isEmpty else { return line(whole) }
    line(head)
    indented {
      var row = ""
      for (index, item) in items.enumerated() {
        let isLast = index == items.count - 1
        let piece = item + (isLast ? (closing == .attached ? tail : "") : ",")
        if !row.isEmpty, !fits("\(row) \(piece)") {
          line(row)
          row = ""
        }
        row += row.isEmpty ? piece : " " + piece
      }
      line(row)
    }
    if closing == .ownLine { line(tail) }
  }

  /// Where the tail of a wrapped list goes.
  enum Closing {
    /// Behind the last item.
    case attached
    /// On a line of its own, as at the end of a function's parameters.
    case ownLine
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

extension Substring {
  fileprivate func trimmingEnd() -> String {
    var text = self
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
