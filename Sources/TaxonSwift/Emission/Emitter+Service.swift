// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

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
          emitUnion(names.unionCases(method))
        }
      }
      writer.blank()
      emitProtocol(service)
      writer.blank()
      emitPartialProtocol(service)
      if settings.clients {
        writer.blank()
        emitClient(service)
      }
      if settings.fakes {
        writer.blank()
        emitFake(service)
      }
    }
    writer.blank()
    emitRegistration(service)
    if !service.methods.isEmpty {
      writer.blank()
      emitPartialDefaults(service)
    }
  }

  // MARK: Names and types

  /// Not escaped.
  func function(_ method: SchemaMethod) -> String { names.function(method) }

  func failure(_ method: SchemaMethod) -> String {
    method.errors.isEmpty
      ? runtime("RPCError")
      : names.reference(names.errorPath(method), of: method.service.file, from: scope)
  }

  /// The effects of a handler: a method that declares no errors may throw anything.
  func effects(_ method: SchemaMethod) -> String {
    method.errors.isEmpty ? "async throws" : "async throws(\(failure(method)))"
  }

  /// The parameters of a handler.
  func parameters(_ method: SchemaMethod) -> [Parameter] {
    let input = names.reference(method.input, from: scope)
    let output = names.reference(method.output, from: scope)
    var result = [
      method.kind.streamsRequests
        ? Parameter("_", "requests", "\(runtime("RequestStream"))<\(input), \(failure(method))>")
        : Parameter("_", "request", input)
    ]
    if method.kind.streamsResponses {
      result.append(Parameter("responses", "responses", "\(runtime("ResponseWriter"))<\(output), \(failure(method))>"))
    }
    return result + [Parameter("context", "context", runtime("ServerContext"))]
  }

  /// What a handler returns, nil when it writes its answers.
  func result(_ method: SchemaMethod) -> String? {
    method.kind.streamsResponses ? nil : names.reference(method.output, from: scope)
  }

  /// A handler as a function: the name, the parameters and the rest of the signature.
  func handler(_ method: SchemaMethod) -> (head: String, parameters: [String], tail: String) {
    (
      "func \(Identifier.escaped(function(method)))", parameters(method).map(\.declaration),
      " \(effects(method))" + (result(method).map { " -> \($0)" } ?? "")
    )
  }

  func document(_ method: SchemaMethod) {
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
      ] + httpRules(method), ")")
  }

  /// The argument with the rules of REST, where there are any; methods that stream are not called by REST.
  private func httpRules(_ method: SchemaMethod) -> [String] {
    guard method.kind == .unary, !method.http.isEmpty else { return [] }
    let rules = method.http.map { rule in
      let optional = [("body", rule.body), ("responseBody", rule.responseBody)].filter { !$0.1.isEmpty }
      let arguments =
        [rule.verb, rule.template].map(CodeWriter.literal)
        + optional.map { "\($0.0): \(CodeWriter.literal($0.1))" }
      return "\(runtime("HTTPRule"))(\(arguments.joined(separator: ", ")))"
    }
    return ["http: [\(rules.joined(separator: ", "))]"]
  }

  private func emitProtocol(_ service: SchemaService) {
    writer.line("/// Implements the methods of \(service.name).")
    type("\(access)protocol Service: \(runtime("RPCService"))", names.path(service) + ["Service"]) {
      for (index, method) in service.methods.enumerated() {
        if index > 0 { writer.blank() }
        document(method)
        let (head, parameters, tail) = handler(method)
        writer.list("\(head)(", parameters, ")\(tail)", closing: .ownLine)
      }
    }
  }

  private func emitRegistration(_ service: SchemaService) {
    let path = names.reference(names.path(service), of: service.file, from: [])
    writer.block("extension \(path).Service") {
      writer.line("/// The full name of the service.")
      writer.line("\(access)static var serviceName: \(standard("String")) { \(path).name }")
      writer.blank()
      if !descriptors.embedded(in: service.file).isEmpty {
        writer.line("/// The descriptor of \(service.file.path), for reflection.")
        let descriptor = ".\(names.fileMember(service.file))"
        writer.line("\(access)static var fileDescriptor: \(runtime("ProtoFileDescriptor"))? { \(descriptor) }")
        writer.blank()
      }
      writer.line("/// Makes the methods known to a server.")
      writer.block("\(access)func register(in registry: inout \(runtime("ServiceRegistry")))") {
        for method in service.methods {
          let name = function(method)
          let kind =
            switch method.kind {
            case .unary: ""
            case .clientStreaming: "clientStreaming: "
            case .serverStreaming: "serverStreaming: "
            case .bidirectional: "bidirectional: "
            }
          let labels = parameters(method).map { "\($0.label):" }.joined()
          writer.line("registry.add(\(kind)\(path).Methods.\(name), handler: self.\(name)(\(labels)))")
        }
      }
    }
  }
}

extension Emitter {
  /// The service whose methods may be left out.
  private func emitPartialProtocol(_ service: SchemaService) {
    writer.line(
      "/// A \(service.name) that may leave methods out: those, and what the schema adds later, answer UNIMPLEMENTED.")
    writer.line("\(access)protocol PartialService: Service {}")
  }

  /// The answers of the methods that are left out.
  private func emitPartialDefaults(_ service: SchemaService) {
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

extension Emitter {
  /// A service of closures, for tests of what calls the service.
  private func emitFake(_ service: SchemaService) {
    writer.line("/// Stands in for \(service.name) in tests: set what each method does; the others are UNIMPLEMENTED.")
    type("\(access)struct Fake: Service", names.path(service) + ["Fake"]) {
      for method in service.methods {
        writer.line("/// Implements `\(method.name)`.")
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

/// A parameter of a generated function.
struct Parameter {
  /// The label, or "_".
  var label: String
  var name: String
  var type: String

  init(_ label: String, _ name: String, _ type: String) {
    self.label = label
    self.name = name
    self.type = type
  }

  var declaration: String { label == name ? "\(name): \(type)" : "\(label) \(name): \(type)" }
  /// As it is passed on to a function with the same parameter.
  var argument: String { label == "_" ? name : "\(label): \(name)" }
}

extension Emitter {
  func emitClient(_ service: SchemaService) {
    writer.line("/// Calls the methods of \(service.name).")
    type("\(access)struct Client: \(standard("Sendable"))", names.path(service) + ["Client"]) {
      writer.line("/// Carries the calls.")
      writer.line("\(access)var invoker: any \(runtime("CallInvoker"))")
      writer.blank()
      writer.line("/// Makes a client that calls through `invoker`, such as a channel.")
      deprecation(service.isDeprecated)
      writer.line("\(access)init(_ invoker: any \(runtime("CallInvoker"))) { self.invoker = invoker }")
      for method in service.methods {
        writer.blank()
        document(method)
        deprecation(method.isDeprecated)
        emitCall(method)
      }
    }
  }

  private func emitCall(_ method: SchemaMethod) {
    let input = names.reference(method.input, from: scope)
    let output = names.reference(method.output, from: scope)
    let all = "\(input), \(output), \(failure(method))"
    let (call, result) =
      switch method.kind {
      case .unary: ("unary", output)
      case .clientStreaming: ("clientStreaming", "\(runtime("ClientStreamingCall"))<\(all)>")
      case .serverStreaming: ("serverStreaming", "\(runtime("ResponseStream"))<\(output), \(failure(method))>")
      case .bidirectional: ("bidirectional", "\(runtime("BidirectionalCall"))<\(all)>")
      }
    let request = method.kind.streamsRequests ? [] : ["_ request: \(input)"]
    let options = "options: \(runtime("CallOptions")) = \(runtime("CallOptions"))()"
    let effects = method.kind == .unary ? " async throws(\(failure(method)))" : ""
    writer.function(
      "\(access)func \(Identifier.escaped(function(method)))", request + [options], "\(effects) -> \(result)"
    ) {
      let arguments = ["Methods.\(function(method))"] + (request.isEmpty ? [] : ["request"]) + ["options: options"]
      let effects = method.kind == .unary ? "try await " : ""
      writer.line("\(effects)invoker.\(call)(\(arguments.joined(separator: ", ")))")
    }
  }
}
