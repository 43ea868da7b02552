// SPDX-License-Identifier: Apache-2.0

/// Writes lines of code: indents them and wraps lists that are longer than a line.
package final class CodeWriter {
  /// What has been written.
  package private(set) var text = ""
  private var depth = 0
  private let width: Int
  private let step: String

  /// A writer of lines of at most `width` characters; `step` is what a level of indentation adds.
  package init(width: Int = 120, step: String = "  ") {
    self.width = width
    self.step = step
  }

  private var indent: String { String(repeating: step, count: depth) }

  /// Writes a line.
  package func line(_ line: String = "") { text += line.isEmpty ? "\n" : indent + line + "\n" }

  /// Writes an empty line.
  package func blank() { line() }

  /// Whether the text fits on a line here.
  package func fits(_ text: String) -> Bool { indent.count + text.count <= width }

  /// Writes what `body` writes one level deeper.
  package func indented(_ body: () -> Void) {
    depth += 1
    body()
    depth -= 1
  }

  /// `head` + the items with commas + `tail`: on one line, or the items on lines of their own.
  package func list(_ head: String, _ items: [String], _ tail: String, closing: Closing = .attached) {
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
  package enum Closing {
    /// Behind the last item.
    case attached
    /// On a line of its own, as at the end of a function's parameters.
    case ownLine
  }
}

/// A declaration's comment in the schema.
package enum Documentation {
  /// The comment's lines, without those for the generator and without empty ones at its ends; one sentence where there is no comment.
  package static func lines(_ comment: String?, _ sentence: String) -> [String] {
    var lines = (comment ?? "").split(separator: "\n", omittingEmptySubsequences: false).map { line in
      (line.hasPrefix(" ") ? line.dropFirst() : line).trimmingEnd()
    }
    lines.removeAll { $0.hasPrefix("taxon:ignore ") }
    while lines.last?.isEmpty == true { lines.removeLast() }
    while lines.first?.isEmpty == true { lines.removeFirst() }
    return lines.isEmpty ? [sentence] : lines
  }
}

extension Substring {
  fileprivate func trimmingEnd() -> String {
    var text = self
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
