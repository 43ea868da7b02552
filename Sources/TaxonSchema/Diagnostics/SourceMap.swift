// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Where something stands in a source file. Lines and columns count from 1.
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

/// What SourceCodeInfo knows of one file.
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

  package init(file: String, span: SourceSpan? = nil, text: String? = nil) {
    self.file = file
    self.span = span
    self.text = text
  }

  /// SourceCodeInfo stops at the option; with the source at hand, the position is that of `text` inside it.
  package func naming(_ text: String) -> Place {
    var place = self
    place.text = text
    return place
  }

  package var location: SourceLocation {
    SourceLocation(file: file, line: span?.line ?? 1, column: span?.column ?? 1)
  }
}
