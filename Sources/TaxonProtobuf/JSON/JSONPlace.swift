// SPDX-License-Identifier: Apache-2.0

/// A place in a JSON text. Found only for a fault: the text up to there is read once more.
struct JSONPlace: Hashable, Sendable {
  let offset: Int
  let line: Int
  let column: Int
  let path: String

  init(offset: Int, line: Int, column: Int, path: String) {
    self.offset = offset
    self.line = line
    self.column = column
    self.path = path
  }

  /// The place of a byte; the text before it is well formed as far as brackets and strings go. `isOfObject` when it
  /// stands for the object that ends there.
  init(_ offset: Int, in text: UnsafeBufferPointer<UInt8>, isOfObject: Bool = false) {
    var scanner = JSONPlaceScanner(text)
    scanner.goOn(to: offset)
    let path = scanner.path(maxLength: .max, isOfObject: isOfObject)
    self.init(offset: offset, line: scanner.line, column: scanner.column, path: path)
  }
}

/// Goes through a JSON text from one place to the next, and knows the line, the column and the way through objects and lists. Reads
/// each byte once, however many places are asked for.
struct JSONPlaceScanner {
  private enum Step {
    case element(Int)
    /// A key that has been read, nil before.
    case member(Range<Int>?)
  }

  /// Bytes of a path that is cut, before "...".
  static let maxPathLength = 256

  private let text: UnsafeBufferPointer<UInt8>
  private(set) var offset = 0
  /// From 1. Lines end with a line feed.
  private(set) var line = 1
  /// From 1, in characters of Unicode.
  private(set) var column = 1
  /// The outermost steps; how deep the place is says `depth`.
  private var steps: [Step] = []
  private var depth = 0
  private let maxSteps: Int
  /// The next byte that has not been read as a bracket, a comma or a string; behind `offset` where that is inside a string.
  private var position = 0
  private var isKey = false

  /// The outermost `maxSteps` objects and lists are named in paths.
  init(_ text: UnsafeBufferPointer<UInt8>, maxSteps: Int = .max) {
    self.text = text
    self.maxSteps = maxSteps
  }

  /// Goes on to a byte, which is not before the last one. The text up to it is well formed as far as brackets and strings go.
  mutating func goOn(to offset: Int) {
    for byte in text[self.offset..<offset] {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        // Bytes that continue a character do not count.
        column += 1
      }
    }
    self.offset = offset
    while position < offset { step() }
  }

  private mutating func step() {
    switch text[position] {
    case UInt8(ascii: "{"):
      enter(.member(nil))
      isKey = true
    case UInt8(ascii: "["):
      enter(.element(0))
      isKey = false
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      if depth > 0 {
        if depth <= maxSteps { steps.removeLast() }
        depth -= 1
      }
      isKey = false
    case UInt8(ascii: ",") where depth <= maxSteps:
      switch steps.last {
      case .element(let index): steps[steps.count - 1] = .element(index + 1)
      case .member:
        steps[steps.count - 1] = .member(nil)
        isKey = true
      case nil: break
      }
    case UInt8(ascii: "\""):
      let end = endOfString(from: position + 1)
      if isKey, depth <= maxSteps, !steps.isEmpty {
        steps[steps.count - 1] = .member((position + 1)..<end)
        isKey = false
      }
      position = end
    default: break
    }
    position += 1
  }

  private mutating func enter(_ step: Step) {
    depth += 1
    if depth <= maxSteps { steps.append(step) }
  }

  /// The place of the closing quote, or the end of the text.
  private func endOfString(from start: Int) -> Int {
    var position = start
    while position < text.count, text[position] != UInt8(ascii: "\"") {
      position += text[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(position, text.count)
  }

  // MARK: Paths

  /// The path to the place, such as `tasks[3].labels["a b"]`; cut, with "..." behind, to about `maxLength` bytes.
  ///
  /// - Parameters:
  ///   - isOfObject: Whether the place stands for the object that ends there.
  ///   - includesKey: Whether a key that begins there is part of the path.
  func path(maxLength: Int, isOfObject: Bool = false, includesKey: Bool = false) -> String {
    var path = ""
    let isCut = depth > steps.count
    for step in isOfObject && !isCut ? steps.dropLast() : steps[...] {
      guard path.utf8.count < maxLength else { return path + "..." }
      switch step {
      case .element(let index): path += "[\(index)]"
      case .member(nil): break
      case .member(let range?): add(range, to: &path, maxLength)
      }
    }
    if isCut { return path + "..." }
    if includesKey, case .member(nil)? = steps.last, offset < text.count, text[offset] == UInt8(ascii: "\"") {
      add((offset + 1)..<endOfString(from: offset + 1), to: &path, maxLength)
    }
    return path
  }

  private func add(_ range: Range<Int>, to path: inout String, _ maxLength: Int) {
    var end = range.upperBound
    if range.count > maxLength {
      end = range.lowerBound + maxLength
      // Not within a character.
      while end > range.lowerBound, text[end] & 0xC0 == 0x80 { end -= 1 }
    }
    let key = text[range.lowerBound..<end]
    let name = String(decoding: key, as: UTF8.self) + (end < range.upperBound ? "..." : "")
    let isPlain = end == range.upperBound && key.allSatisfy { Self.isPlainCharacter($0) }
    path += isPlain ? (path.isEmpty ? name : ".\(name)") : "[\"\(name)\"]"
  }

  /// The path as far as a message declares it, cut like others: it ends before the first key that is none of a field's names, at a list
  /// where there should be none, and in a map, a Struct or an Any, whose keys are data.
  func declaredPath(of table: UnsafePointer<JSONTable>) -> String {
    var path = ""
    var table: UnsafePointer<JSONTable>? = table
    var isList = false
    for step in steps {
      guard path.utf8.count < Self.maxPathLength else { return path + "..." }
      switch step {
      case .element(let index):
        guard isList else { return path }
        path += "[\(index)]"
        isList = false
      case .member(let range):
        guard let range, !isList, let inside = table, inside.pointee.form == .object,
          let index = inside.pointee.names.index(of: UnsafeBufferPointer(rebasing: text[range]))
        else { return path }
        let member = inside.pointee.members[index]
        path += path.isEmpty ? "" : "."
        path += String(decoding: text[range], as: UTF8.self)
        isList = member.label == .repeated || member.label == .packed
        table = member.kind == .message && member.label != .map ? member.table : nil
      }
    }
    return path
  }

  private static func isPlainCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "@"):
      true
    default: false
    }
  }
}
