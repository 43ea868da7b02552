// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

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
      let names = files.map { ".\(Identifier.descriptor($0.path))" }
      arguments.append("\(label): [\(names.joined(separator: ", "))]")
    }
    let name = Identifier.escaped(Identifier.descriptor(embedded.path))
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
