// SPDX-License-Identifier: Apache-2.0

/// A path template of `google.api.http`, such as `/v1/{name=shelves/*}:open` (google/api/http.proto, "Path template syntax").
///
/// Both the generator, which checks a schema's templates, and the server, which matches paths, read templates with it.
package struct PathTemplate: Hashable, Sendable {
  /// What one segment of a path, which is what is between two slashes, may be.
  package enum Segment: Hashable, Sendable {
    /// This very text, percent-decoded.
    case literal([UInt8])
    /// `*`: any text but none.
    case one
    /// `**`: zero or more segments, empty ones too. Only the last segment can be one.
    case rest
  }

  /// A field of the request that takes a part of the path.
  package struct Variable: Hashable, Sendable {
    /// Names of fields, each in the message of the one before; at least one.
    package var path: [String]
    /// Which segments it takes.
    package var segments: Range<Int>
    /// True when its value may have slashes in it; then `%2F` in the path stays as it is.
    package var isMulti: Bool
    /// The names with dots between.
    package var name: String { path.joined(separator: ".") }
  }

  /// The segments in their order, those of variables included; at least one.
  package internal(set) var segments: [Segment] = []
  /// The variables in their order.
  package internal(set) var variables: [Variable] = []
  /// What follows the last colon, percent-decoded; nil for none.
  package internal(set) var verb: [UInt8]?

  /// The most bytes that a template may have.
  package static let maxLength = 4096
  /// The most segments that a template may have.
  package static let maxSegments = 64

  init() {}

  /// Reads a template.
  ///
  /// - Throws: The first mistake, with its place.
  package init(_ text: String) throws(PathTemplateMistake) {
    var parser = PathTemplateParser(bytes: Array(text.utf8))
    self = try parser.template()
  }
}

/// What is wrong with the text of a path template.
package struct PathTemplateMistake: Error, Hashable, Sendable, CustomStringConvertible {
  /// The byte of the text at which the mistake is, from 0.
  package var offset: Int
  /// Such as "the variable is never closed".
  package var what: String
  /// How to mend it, such as "close it with }".
  package var mend: String
  /// Both, for people.
  package var description: String { "\(what); \(mend)" }
}

/// Reads the text of a template from left to right.
private struct PathTemplateParser {
  let bytes: [UInt8]
  var position = 0
  var result = PathTemplate()

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func template() throws(PathTemplateMistake) -> PathTemplate {
    guard bytes.count <= PathTemplate.maxLength else {
      throw mistake(
        PathTemplate.maxLength, "the template is longer than \(PathTemplate.maxLength) bytes", "write a shorter one")
    }
    guard next == UInt8(ascii: "/") else {
      throw mistake(0, "the template does not begin with a slash", "write / in front of it")
    }
    position = 1
    try segments(inVariable: false)
    if next == UInt8(ascii: ":") {
      position += 1
      result.verb = try literal("the verb behind : is empty", "write it, or take the colon away")
    }
    guard position == bytes.count else { throw unexpected() }
    return result
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func segments(inVariable: Bool) throws(PathTemplateMistake) {
    while true {
      if result.segments.last == .rest {
        throw mistake(position, "segments follow **, which takes all that is left", "put ** at the end, or write *")
      }
      guard result.segments.count < PathTemplate.maxSegments else {
        throw mistake(
          position, "the template has more than \(PathTemplate.maxSegments) segments", "write a shorter one")
      }
      try segment(inVariable: inVariable)
      guard next == UInt8(ascii: "/") else { return }
      position += 1
    }
  }

  private mutating func segment(inVariable: Bool) throws(PathTemplateMistake) {
    switch next {
    case UInt8(ascii: "*"):
      position += 1
      if next == UInt8(ascii: "*") {
        position += 1
        result.segments.append(.rest)
      } else {
        result.segments.append(.one)
      }
    case UInt8(ascii: "{"):
      if inVariable { throw mistake(position, "a variable is inside another one", "close the outer one first") }
      try variable()
    default:
      let text = try literal("a segment is empty", "take one slash away, or write the segment")
      result.segments.append(.literal(text))
    }
    switch next {
    case nil, UInt8(ascii: "/"), UInt8(ascii: ":"): return
    case UInt8(ascii: "}") where inVariable: return
    case UInt8(ascii: "{"), UInt8(ascii: "*"):
      throw mistake(position, "variables and wildcards are whole segments", "put a slash in front")
    case UInt8(ascii: "}"):
      throw mistake(position, "} closes no variable", "take it away, or write { in front of the name")
    default:
      guard PathTemplateParser.isLiteral(bytes[position]) else { throw unexpected() }
      throw mistake(position, "variables and wildcards are whole segments", "put a slash behind")
    }
  }

  private mutating func variable() throws(PathTemplateMistake) {
    let start = position
    position += 1
    let path = try fieldPath()
    let first = result.segments.count
    if next == UInt8(ascii: "=") {
      position += 1
      try segments(inVariable: true)
    } else {
      result.segments.append(.one)
    }
    guard next == UInt8(ascii: "}") else {
      guard next == nil || next == UInt8(ascii: "/") || next == UInt8(ascii: ":") else { throw unexpected() }
      throw mistake(start, "the variable is never closed", "close it with }")
    }
    position += 1
    let range = first..<result.segments.count
    result.variables.append(
      .init(path: path, segments: range, isMulti: range.count > 1 || result.segments.last == .rest))
  }

  private mutating func fieldPath() throws(PathTemplateMistake) -> [String] {
    var path: [String] = []
    repeat {
      if !path.isEmpty { position += 1 }
      let start = position
      while let byte = next, Self.isName(byte, isFirst: position == start) { position += 1 }
      guard position > start else {
        throw mistake(start, "the name of a field is missing", "write one, such as {task_id}")
      }
      path.append(String(decoding: bytes[start..<position], as: UTF8.self))
    } while next == UInt8(ascii: ".")
    return path
  }

  /// Text up to what has a meaning, percent-decoded. Throws the mistake when there is none.
  private mutating func literal(_ what: String, _ mend: String) throws(PathTemplateMistake) -> [UInt8] {
    let start = position
    var text: [UInt8] = []
    while let byte = next, Self.isLiteral(byte) {
      guard byte == UInt8(ascii: "%") else {
        text.append(byte)
        position += 1
        continue
      }
      guard let decoded = PercentCoding.byte(bytes[position...]) else {
        throw mistake(position, "% is not followed by two hexadecimal digits", "write %25 for a percent sign")
      }
      text.append(decoded)
      position += 3
    }
    guard position > start else {
      guard next == nil || next == UInt8(ascii: "/") || next == UInt8(ascii: ":") || next == UInt8(ascii: "}") else {
        throw unexpected()
      }
      throw mistake(start, what, mend)
    }
    return text
  }

  private func unexpected() -> PathTemplateMistake {
    guard let byte = next else { return mistake(position, "the template ends too early", "write the rest") }
    let mend: String
    switch byte {
    case UInt8(ascii: ":"): mend = "a verb comes once, behind the last segment; write %3A for the character itself"
    case UInt8(ascii: "/"): mend = "nothing follows a verb"
    case UInt8(ascii: "?"): mend = "what the path does not name is taken from the query by itself"
    default: mend = "write \(PercentCoding.encoded(byte))"
    }
    let character = byte > 0x20 && byte < 0x7F ? "\(Character(UnicodeScalar(byte)))" : "byte \(byte)"
    return mistake(position, "\(character) cannot be here", mend)
  }

  private func mistake(_ offset: Int, _ what: String, _ mend: String) -> PathTemplateMistake {
    PathTemplateMistake(offset: offset, what: what, mend: mend)
  }

  private static func isName(_ byte: UInt8, isFirst: Bool) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"): !isFirst
    default: false
    }
  }

  /// What RFC 3986 §3.3 allows in a segment, without the characters that a template has other uses for, `*` and `:`.
  private static func isLiteral(_ byte: UInt8) -> Bool {
    if isName(byte, isFirst: false) { return true }
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "%"), UInt8(ascii: "!"),
      UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
      UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "@"):
      return true
    default: return false
    }
  }
}
