// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

extension Emitter {
  func emitClient(_ service: SchemaService) {
    writer.line("/// Calls the methods of \(service.name).")
    type("\(access)struct Client: \(standard("Sendable"))", names.path(service) + ["Client"]) {
      writer.line("/// What carries the calls.")
      writer.line("\(access)var invoker: any \(runtime("CallInvoker"))")
      writer.blank()
      writer.line("/// Makes a client that calls by way of `invoker`, such as a channel.")
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
