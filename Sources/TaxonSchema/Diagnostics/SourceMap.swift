// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A position in a source file. Lines and columns count from 1.
package struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
  /// As protoc knows the file, such as "octollm/v1/errors.proto".
  package var file: String
  /// From 1.
  package var line: Int
  /// From 1, in bytes.
  package var column: Int

  /// The form that compilers use: `file:line:column`.
  package var description: String { "\(file):\(line):\(column)" }
}

/// The part of a source file that a declaration takes up. Lines and columns count from 1; the end is exclusive.
package struct SourceSpan: Hashable {
  package var line: Int
  package var column: Int
  package var endLine: Int
  package var endColumn: Int

  init?(_ span: [Int32]) {
    guard span.count == 3 || span.count == 4 else { return nil }
    line = Int(span[0]) + 1
    column = Int(span[1]) + 1
    endLine = span.count == 4 ? Int(span[2]) + 1 : line
    endColumn = Int(span[span.count - 1]) + 1
  }
}

/// The positions and comments that SourceCodeInfo has for one file.
package struct SourceMap {
  package let file: String
  private var spans: [DescriptorPath: SourceSpan] = [:]
  private var comments: [DescriptorPath: String] = [:]

  init(_ file: Google_Protobuf_FileDescriptorProto) {
    self.file = file.name ?? ""
    for location in file.sourceCodeInfo?.location ?? [] {
      // An option that is set in several statements has a location for each: the first one counts.
      if spans[location.path] == nil { spans[location.path] = SourceSpan(location.span) }
      let comment = location.leadingComments ?? location.trailingComments
      if let comment, !comment.isEmpty { comments[location.path] = comment }
    }
  }

  /// The span of a declaration, else of the nearest one around it that has a span.
  func span(_ path: DescriptorPath) -> SourceSpan? {
    var path = path[...]
    while true {
      if let span = spans[Array(path)] { return span }
      if path.popLast() == nil { return nil }
    }
  }

  package func place(_ path: DescriptorPath) -> Place { Place(file: file, span: span(path)) }

  /// Whether the declaration has a place of its own.
  func hasPlace(_ path: DescriptorPath) -> Bool { spans[path] != nil }

  /// The place of an option, which is that of its first field when each is set by a statement of its own.
  func place(ofOption path: DescriptorPath) -> Place {
    guard spans[path] == nil else { return place(path) }
    let fields = spans.filter { $0.key.starts(with: path) }.map(\.value)
    let first = fields.min { ($0.line, $0.column) < ($1.line, $1.column) }
    return first.map { Place(file: file, span: $0) } ?? place(path)
  }

  /// The comment before a declaration, or else behind it.
  package func comment(_ path: DescriptorPath) -> String? { comments[path] }
}

/// Where a mistake is: a span, and when the span is a whole option, the text to look for inside it.
package struct Place: Hashable {
  package var file: String
  package var span: SourceSpan?
  package var text: String?
  /// How many bytes behind the beginning of the text.
  var offset = 0

  package init(file: String, span: SourceSpan? = nil, text: String? = nil) {
    self.file = file
    self.span = span
    self.text = text
  }

  /// SourceCodeInfo stops at the option; where the source can be read, the position is that of `text` inside it.
  package func naming(_ text: String) -> Place {
    var place = self
    place.text = text
    return place
  }

  package var location: SourceLocation {
    SourceLocation(file: file, line: span?.line ?? 1, column: span?.column ?? 1)
  }
}

/// Finds source files, so that a diagnostic names a file that an editor can open and points at the exact word. The
/// location of SourceCodeInfo stays where a file is not found.
package struct SourceFiles {
  /// The folders to search; "" is the working directory.
  var folders: [String]
  /// Reads a file; nil when it does not exist.
  var read: (_ path: String) -> String?

  package init(folders: [String] = [], read: @escaping (_ path: String) -> String? = { _ in nil }) {
    self.folders = folders
    self.read = read
  }

  /// The file that protoc calls `path`: the path that an editor can open, and the text.
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
      return SourceLocation(file: name, line: number, column: offset + place.offset + 1)
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

/// The path of a declaration inside a FileDescriptorProto: field numbers and indices in turn (descriptor.proto,
/// SourceCodeInfo.Location).
package typealias DescriptorPath = [Int32]

/// Field numbers of descriptor.proto, of which the paths of SourceCodeInfo are made, and of taxon/taxonomy.proto.
enum Tag {
  /// The name of a message, field, oneof, enum, service or method.
  static let name: Int32 = 1

  static let fileDependency: Int32 = 3
  static let fileMessage: Int32 = 4
  static let fileEnum: Int32 = 5
  static let fileService: Int32 = 6
  static let fileExtension: Int32 = 7
  static let fileOptions: Int32 = 8
  static let fileSyntax: Int32 = 12

  static let messageField: Int32 = 2
  static let messageNested: Int32 = 3
  static let messageEnum: Int32 = 4
  static let messageExtension: Int32 = 6
  static let messageOptions: Int32 = 7
  static let messageOneof: Int32 = 8

  static let fieldOptions: Int32 = 8

  static let enumValue: Int32 = 2

  static let serviceMethod: Int32 = 2
  static let serviceOptions: Int32 = 3

  static let methodInput: Int32 = 2
  static let methodOutput: Int32 = 3
  static let methodOptions: Int32 = 4

  /// The extensions `taxonomy`, `category`, `field`, `service_raises` and `raises`.
  static let firstOption: Int32 = 51820
  /// The extensions `error` and `file_raises`.
  static let secondOption: Int32 = 51821
  /// The extension `google.api.http`.
  static let httpOption: Int32 = 72_295_728
}
