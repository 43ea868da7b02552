// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Which fields of errors can hold, at whatever depth, errors with fields that may not leave. The schema tells once and for all; errors
/// for which it is not so have no code for it.
struct NestedSafety {
  private let files: [String: SchemaFile]
  private let settings: GeneratorSettings

  init(_ schema: Schema, settings: GeneratorSettings) {
    files = Dictionary(schema.files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    self.settings = settings
  }

  /// Whether there may be fields of some classes of safety in what a field of an error holds.
  func isAffected(_ field: SchemaField, by isReset: (Safety) -> Bool) -> Bool {
    guard case .message(let message) = field.type else { return false }
    var visited: Set<Visit> = []
    return holds(message, isReset, isAnySuspect: isAnySuspect(field.message.file, isReset), &visited)
  }

  /// Whether the message of a field is, or can hold, an Any outside of other errors, which look after theirs.
  func reachesAny(_ field: SchemaField) -> Bool {
    var visited: Set<Visit> = []
    func reaches(_ message: SchemaMessage) -> Bool {
      if message.fullName == Self.any { return true }
      guard message.error == nil, visited.insert(Visit(message, isAnySuspect: false)).inserted else { return false }
      return message.fields.contains { $0.messageType.map(reaches) ?? false }
    }
    return field.messageType.map(reaches) ?? false
  }

  /// The types that an Any in a message of the file may hold and that have such fields, or can hold what has them.
  func typesInAny(_ file: SchemaFile, _ isReset: (Safety) -> Bool) -> [SchemaMessage] {
    guard isAnySuspect(file, isReset) else { return [] }
    return known(by: file).flatMap(\.allMessages).filter { message in
      guard !message.isMapEntry, message.category == nil, message.fullName != Self.any else { return false }
      var visited: Set<Visit> = []
      return holds(message, isReset, isAnySuspect: true, &visited)
    }
  }

  private static let any = "google.protobuf.Any"

  private struct Visit: Hashable {
    let message: ObjectIdentifier
    let isAnySuspect: Bool

    init(_ message: SchemaMessage, isAnySuspect: Bool) {
      self.message = ObjectIdentifier(message)
      self.isAnySuspect = isAnySuspect
    }
  }

  private func holds(
    _ message: SchemaMessage, _ isReset: (Safety) -> Bool, isAnySuspect: Bool, _ visited: inout Set<Visit>
  ) -> Bool {
    if message.fullName == Self.any { return isAnySuspect }
    guard visited.insert(Visit(message, isAnySuspect: isAnySuspect)).inserted else { return false }
    var isAnySuspect = isAnySuspect
    if message.error != nil {
      if message.fields.contains(where: { isReset($0.safety) }) { return true }
      // An error looks for what its own file knows.
      isAnySuspect = self.isAnySuspect(message.file, isReset)
    }
    for case let inner? in message.fields.map(\.messageType)
    where holds(inner, isReset, isAnySuspect: isAnySuspect, &visited) {
      return true
    }
    return false
  }

  /// Whether the file knows an error that has such fields, which an Any may hold.
  private func isAnySuspect(_ file: SchemaFile, _ isReset: (Safety) -> Bool) -> Bool {
    known(by: file).contains { $0.errors.contains { $0.fields.contains { isReset($0.safety) } } }
  }

  /// The file and what it imports, directly or not, as far as the code of the file can name its types.
  private func known(by file: SchemaFile) -> [SchemaFile] {
    var known: [SchemaFile] = [file]
    var index = 0
    while index < known.count {
      for path in known[index].dependencies {
        guard let other = files[path], !known.contains(where: { $0 === other }) else { continue }
        known.append(other)
      }
      index += 1
    }
    return known.filter { other in
      other === file || other.isGenerated || file.dependencies.contains(other.path)
        || settings.otherModule(of: other) != nil || GeneratorSettings.comesWithTaxon(other.path)
    }
  }
}

extension SchemaField {
  /// The message that the field holds, or the entry of a map; nil for a scalar and an enum.
  fileprivate var messageType: SchemaMessage? {
    if case .message(let message) = type { message } else { nil }
  }
}
