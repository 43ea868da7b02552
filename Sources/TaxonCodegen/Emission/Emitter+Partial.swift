// SPDX-License-Identifier: Apache-2.0

extension Emitter {
  /// The service whose methods may be left out.
  func emitPartialProtocol(_ service: SchemaService) {
    writer.line(
      "/// A \(service.name) that may leave methods out: those, and what the schema adds later, answer UNIMPLEMENTED.")
    writer.line("\(access)protocol PartialService: Service {}")
  }

  /// The answers of the methods that are left out.
  func emitPartialDefaults(_ service: SchemaService) {
    let path = names.reference(names.path(service), of: service.file, from: [])
    writer.block("extension \(path).PartialService") {
      for (index, method) in service.methods.enumerated() {
        if index > 0 { writer.blank() }
        let (head, parameters, tail) = handler(method)
        writer.line("/// UNIMPLEMENTED.")
        writer.function("\(access)\(head)", parameters, tail) {
          writer.line("throw \(path).Methods.\(function(method)).unimplemented()")
        }
      }
    }
  }
}
