// SPDX-License-Identifier: Apache-2.0

extension Emitter {
  func emitService(_ service: SchemaService) {
    let path = names.path(service)
    let methods = service.methods
    writer.documentation(service.comment, "The service `\(service.fullName)`.")
    type("\(access)enum \(Identifier.escaped(path[path.count - 1]))", path) {
      writer.line("/// The full name.")
      writer.line("\(access)static let name = \"\(service.fullName)\"")
      writer.blank()
      writer.line("/// The methods of \(service.name).")
      type("\(access)enum Methods", path + ["Methods"]) {
        for (index, method) in methods.enumerated() {
          if index > 0 { writer.blank() }
          emitDescriptor(method)
        }
      }
      for method in methods where !method.errors.isEmpty {
        let errorPath = names.errorPath(method)
        writer.blank()
        writer.line("/// What \(function(method)) raises.")
        type("\(access)enum \(errorPath[errorPath.count - 1]): \(runtime("ErrorUnion"))", errorPath) {
          emitUnion(UnionCase.flat(method.errors))
        }
      }
      writer.blank()
      emitProtocol(service)
      writer.blank()
      emitClient(service)
    }
    writer.blank()
    emitRegistration(service)
  }

  // MARK: Names and types

  /// Not escaped.
  private func function(_ method: SchemaMethod) -> String { Identifier.lowerCamel(method.name) }

  private func failure(_ method: SchemaMethod) -> String {
    method.errors.isEmpty
      ? runtime("UndeclaredError")
      : names.reference(names.errorPath(method), of: method.service.file, from: scope)
  }

  private func document(_ method: SchemaMethod) {
    writer.documentation(method.comment, "Calls `\(method.name)`.")
  }

  // MARK: Parts

  private func emitDescriptor(_ method: SchemaMethod) {
    let idempotency =
      switch method.idempotency {
      case .unknown: ".unknown"
      case .noSideEffects: ".noSideEffects"
      case .idempotent: ".idempotent"
      }
    let input = names.reference(method.input, from: scope)
    let output = names.reference(method.output, from: scope)
    writer.line("/// `\(method.name)`.")
    writer.list(
      "\(access)static let \(Identifier.escaped(function(method))) = "
        + "\(runtime("MethodDescriptor"))<\(input), \(output), \(failure(method))>(",
      [
        "service: \"\(method.service.fullName)\"", "method: \"\(method.name)\"", "idempotency: \(idempotency)",
      ], ")")
  }

  private func emitProtocol(_ service: SchemaService) {
    writer.line("/// What carries out the methods of \(service.name).")
    type("\(access)protocol Service: \(runtime("RPCService"))", names.path(service) + ["Service"]) {
      for (index, method) in service.methods.enumerated() {
        if index > 0 { writer.blank() }
        document(method)
        let throwing = method.errors.isEmpty ? "throws" : "throws(\(failure(method)))"
        writer.list(
          "func \(Identifier.escaped(function(method)))(",
          ["_ request: \(names.reference(method.input, from: scope))", "context: \(runtime("ServerContext"))"],
          ") async \(throwing) -> \(names.reference(method.output, from: scope))", closing: .ownLine)
      }
    }
  }

  private func emitClient(_ service: SchemaService) {
    writer.line("/// Calls the methods of \(service.name).")
    type("\(access)struct Client: \(standard("Sendable"))", names.path(service) + ["Client"]) {
      writer.line("/// What carries the calls.")
      writer.line("\(access)var invoker: any \(runtime("CallInvoker"))")
      writer.blank()
      writer.line("/// Makes a client that calls by way of `invoker`, such as a channel.")
      deprecation(service.isDeprecated)
      writer.line("\(access)init(_ invoker: any \(runtime("CallInvoker"))) { self.invoker = invoker }")
      for method in service.methods {
        let options = runtime("CallOptions")
        writer.blank()
        document(method)
        deprecation(method.isDeprecated)
        writer.function(
          "\(access)func \(Identifier.escaped(function(method)))",
          ["_ request: \(names.reference(method.input, from: scope))", "options: \(options) = \(options)()"],
          " async throws(\(failure(method))) -> \(names.reference(method.output, from: scope))"
        ) {
          writer.line("try await invoker.unary(Methods.\(function(method)), request, options: options)")
        }
      }
    }
  }

  private func emitRegistration(_ service: SchemaService) {
    let path = names.reference(names.path(service), of: service.file, from: [])
    writer.block("extension \(path).Service") {
      writer.line("/// The full name of the service.")
      writer.line("\(access)static var serviceName: \(standard("String")) { \(path).name }")
      writer.blank()
      writer.line("/// Makes the methods known to a server.")
      writer.block("\(access)func register(in registry: inout \(runtime("ServiceRegistry")))") {
        for method in service.methods {
          let throwing = method.errors.isEmpty ? "throws" : "throws(\(failure(method)))"
          let name = function(method)
          writer.line("registry.add(\(path).Methods.\(name)) { request, context async \(throwing) in")
          writer.indented { writer.line("try await self.\(name)(request, context: context)") }
          writer.line("}")
        }
      }
    }
  }
}
