// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Which generated file carries which descriptors.
///
/// A file of this run carries its own; those of other modules are in their generated code. A file that is imported but
/// generated nowhere, such as one with options alone, goes into every file that needs it.
struct EmbeddedDescriptors {
  private let files: [String: SchemaFile]
  private let settings: GeneratorSettings
  /// The files of this run that other code can reach.
  private var reachable: Set<String> = []

  init(_ schema: Schema, settings: GeneratorSettings) {
    files = Dictionary(schema.files.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    self.settings = settings
    guard settings.descriptors != .omitted else { return }
    // An internal descriptor can be reached only through the module's own services.
    var waiting = schema.generatedFiles.filter { settings.access(of: $0) != .internal || !$0.services.isEmpty }
    while let file = waiting.popLast() {
      guard !isForeign(file), reachable.insert(file.path).inserted else { continue }
      waiting += dependencies(of: file) + errorFiles(of: file)
    }
  }

  /// The descriptors that the code of a generated file has to hold: its own, then what is generated nowhere.
  func embedded(in file: SchemaFile) -> [SchemaFile] {
    guard reachable.contains(file.path) else { return [] }
    var result = [file]
    var index = 0
    while index < result.count {
      let orphans = (dependencies(of: result[index]) + errorFiles(of: result[index])).filter { file in
        !file.isGenerated && !isForeign(file) && !result.contains { $0 === file }
      }
      result += orphans
      index += 1
    }
    return result
  }

  /// The imported files, in their order.
  func dependencies(of file: SchemaFile) -> [SchemaFile] { file.dependencies.compactMap { files[$0] } }

  /// The files with errors that the methods of `file` raise, apart from itself and its imports.
  func errorFiles(of file: SchemaFile) -> [SchemaFile] {
    guard file.isGenerated else { return [] }
    let known = Set(file.dependencies + [file.path])
    var seen: Set<String> = []
    return file.services.flatMap(\.methods).flatMap(\.errors).map(\.file).filter { errors in
      !known.contains(errors.path) && seen.insert(errors.path).inserted
    }
  }

  /// Whether another module has the file's generated code.
  private func isForeign(_ file: SchemaFile) -> Bool { settings.hasDescriptorElsewhere(file) }
}

extension Emitter {
  /// The descriptors for reflection, at the end of the file.
  func emitDescriptors() {
    let files = descriptors.embedded(in: file)
    guard !files.isEmpty else { return }
    writer.blank()
    writer.block("extension \(runtime("ProtoFileDescriptor"))") {
      for (index, embedded) in files.enumerated() {
        if index > 0 { writer.blank() }
        emitDescriptor(of: embedded, access: embedded === file ? access : "fileprivate ")
      }
    }
  }

  private func emitDescriptor(of embedded: SchemaFile, access: String) {
    var arguments = [CodeWriter.literal(embedded.path)]
    for (label, files) in [
      ("dependencies", descriptors.dependencies(of: embedded)), ("errors", descriptors.errorFiles(of: embedded)),
    ] where !files.isEmpty {
      let members = files.map { ".\(names.fileMember($0))" }
      arguments.append("\(label): [\(members.joined(separator: ", "))]")
    }
    let name = Identifier.escaped(names.fileMember(embedded))
    writer.line("/// \(embedded.path)")
    writer.line("\(access)static let \(name) = \(runtime("ProtoFileDescriptor"))(")
    writer.indented {
      for argument in arguments { writer.line("\(argument),") }
      writer.line("base64: \"\"\"")
      writer.indented {
        var rest = DescriptorBytes.base64(embedded.descriptor)[...]
        while !rest.isEmpty {
          writer.line(String(rest.prefix(112)))
          rest = rest.dropFirst(112)
        }
        writer.line("\"\"\")")
      }
    }
  }
}
