// SPDX-License-Identifier: Apache-2.0

extension Emitter {
  /// The registry of the file's messages and extensions, for JSON.
  func emitRegistry() {
    let messages = file.allMessages.filter { !$0.isMapEntry && $0.category == nil }
      .map { "\(names.reference($0, from: scope)).self" }
    let extensions = file.extensions.map { field in
      "\(names.reference(field.extendee, from: scope)).\(Identifier.escaped(names.property(field)))"
    }
    guard !messages.isEmpty || !extensions.isEmpty else { return }
    let name = Identifier.escaped(Identifier.descriptor(file.path))
    let registry = runtime("TypeRegistry")
    writer.blank()
    writer.block("extension \(registry)") {
      writer.line("/// The messages\(extensions.isEmpty ? "" : " and extensions") of \(file.path).")
      let head = "\(access)static let \(name) = \(registry)("
      if extensions.isEmpty { return writer.list("\(head)[", messages, "])") }
      writer.line(head)
      writer.indented {
        if !messages.isEmpty { writer.list("[", messages, "],") }
        writer.list("extensions: [", extensions, "])")
      }
    }
  }
}
