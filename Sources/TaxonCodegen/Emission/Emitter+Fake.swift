// SPDX-License-Identifier: Apache-2.0

extension Emitter {
  /// A service of closures, for tests of what calls the service.
  func emitFake(_ service: SchemaService) {
    writer.line("/// Stands in for \(service.name) in tests: set what a method does; one without is UNIMPLEMENTED.")
    type("\(access)struct Fake: Service", names.path(service) + ["Fake"]) {
      for method in service.methods {
        writer.line("/// Carries out `\(method.name)`.")
        writer.list(
          "\(access)var \(Identifier.escaped(function(method))): (@Sendable (", parameters(method).map(\.type),
          ") \(effects(method)) -> \(result(method) ?? standard("Void")))?")
      }
      if !service.methods.isEmpty { writer.blank() }
      writer.line("/// Makes a service that does nothing yet.")
      writer.line("\(access)init() {}")
      for method in service.methods {
        let (head, parameters, tail) = handler(method)
        writer.blank()
        writer.function("\(access)\(head)", parameters, tail) {
          let arguments = self.parameters(method).map(\.name).joined(separator: ", ")
          let name = function(method)
          writer.line("try await Methods.\(name).given(self.\(name))(\(arguments))")
        }
      }
    }
  }
}
