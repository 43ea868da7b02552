// SPDX-License-Identifier: Apache-2.0

/// Finds source files, so that a diagnostic names a file that an editor can open and points at the very word. What is
/// not found keeps the location of SourceCodeInfo.
package struct SourceFiles {
  /// Where the files are looked for; "" is the working directory.
  var folders: [String]
  /// Reads a file; nil when there is none.
  var read: (_ path: String) -> String?

  package init(folders: [String] = [], read: @escaping (_ path: String) -> String? = { _ in nil }) {
    self.folders = folders
    self.read = read
  }

  /// The file that protoc knows as `path`: under which name people know it, and its text.
  private func source(_ path: String) -> (name: String, text: String)? {
    for folder in folders {
      let name = folder.isEmpty ? path : folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
      if let text = read(name) { return (name, text) }
    }
    return nil
  }

  /// The location of a place, as precise as the source allows.
  func refine(_ place: Place) -> SourceLocation {
    var location = place.location
    guard let (name, text) = source(place.file) else { return location }
    location.file = name
    guard let span = place.span, let word = place.text else { return location }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for number in span.line...max(span.line, span.endLine) where number <= lines.count {
      let line = Array(lines[number - 1].utf8)
      let first = number == span.line ? span.column - 1 : 0
      let end = number == span.endLine ? min(span.endColumn - 1, line.count) : line.count
      guard first < end, let offset = line[first..<end].firstIndex(of: Array(word.utf8)) else { continue }
      return SourceLocation(file: name, line: number, column: offset + 1)
    }
    return location
  }
}

extension ArraySlice<UInt8> {
  /// Where `word` begins, as an index of the array.
  fileprivate func firstIndex(of word: [UInt8]) -> Int? {
    guard !word.isEmpty, count >= word.count else { return nil }
    return (startIndex...(endIndex - word.count)).first { self[$0..<($0 + word.count)].elementsEqual(word) }
  }
}
