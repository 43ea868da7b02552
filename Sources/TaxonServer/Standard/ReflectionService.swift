// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// Says what a server offers, and by which schemas: `grpc.reflection.v1` and `grpc.reflection.v1alpha`, whose messages are
/// the same but for their names.
struct ReflectionService {
  typealias Request = Grpc_Reflection_V1_ServerReflectionRequest
  typealias Response = Grpc_Reflection_V1_ServerReflectionResponse

  private let schemas: ServedSchemas

  /// The services, and reflection on all of them.
  static func added(to services: [any RPCService]) -> [any RPCService] {
    let types = services.map { type(of: $0) as any RPCService.Type } + [ReflectionV1.self, ReflectionV1alpha.self]
    let reflection = ReflectionService(schemas: ServedSchemas(types))
    return services + [ReflectionV1(reflection: reflection), ReflectionV1alpha(reflection: reflection)]
  }

  fileprivate func answer(
    _ requests: RequestStream<Request, RPCError>, _ responses: ResponseWriter<Response, RPCError>
  ) async throws(RPCError) {
    // Imports go to a client once.
    var sent: Set<String> = []
    for try await request in requests {
      let response: Response.MessageResponse
      do throws(RPCError) {
        response = try answer(request, &sent)
      } catch {
        response = .errorResponse(.init(errorCode: Int32(error.status.rawValue), errorMessage: error.message))
      }
      try await responses.write(
        Response(validHost: request.host, originalRequest: request, messageResponse: response))
    }
  }

  private func answer(
    _ request: Request, _ sent: inout Set<String>
  ) throws(RPCError) -> Response.MessageResponse {
    switch request.messageRequest {
    case .listServices:
      return .listServicesResponse(.init(service: schemas.services.map { .init(name: $0) }))
    case .fileByFilename(let name):
      return try files(schemas.index.files[name], "file \(name)", &sent)
    case .fileContainingSymbol(let name):
      return try files(schemas.index.symbols[name], "symbol \(name)", &sent)
    case .fileContainingExtension(let wanted):
      let file = schemas.index.extensions[wanted.containingType]?[wanted.extensionNumber]
      return try files(file, "extension \(wanted.extensionNumber) of \(wanted.containingType)", &sent)
    case .allExtensionNumbersOfType(let name):
      guard schemas.index.messages.contains(name) else {
        throw RPCError(.notFound, "There is no message \(name)")
      }
      let numbers = schemas.index.extensions[name]?.keys.sorted() ?? []
      return .allExtensionNumbersResponse(.init(baseTypeName: name, extensionNumber: numbers))
    case nil:
      throw RPCError(.invalidArgument, "The request asks for nothing that this server knows")
    }
  }

  /// The file first, since clients take the first for what they asked for, and then what it imports and has not been sent.
  private func files(
    _ file: ProtoFileDescriptor?, _ name: String, _ sent: inout Set<String>
  ) throws(RPCError) -> Response.MessageResponse {
    guard let file else { throw RPCError(.notFound, "There is no \(name)") }
    sent.insert(file.name)
    var files = [file]
    var index = 0
    while index < files.count {
      files += files[index].dependencies.filter { sent.insert($0.name).inserted }
      index += 1
    }
    return .fileDescriptorResponse(.init(fileDescriptorProto: files.map(\.serialized)))
  }
}

private struct ReflectionV1: Grpc_Reflection_V1_ServerReflection.Service {
  let reflection: ReflectionService

  func serverReflectionInfo(
    _ requests: RequestStream<ReflectionService.Request, RPCError>,
    responses: ResponseWriter<ReflectionService.Response, RPCError>, context: ServerContext
  ) async throws {
    try await reflection.answer(requests, responses)
  }
}

private struct ReflectionV1alpha: RPCService {
  static let serviceName = "grpc.reflection.v1alpha.ServerReflection"
  static var fileDescriptor: ProtoFileDescriptor? { .grpcReflectionV1alphaReflection }
  static let method = MethodDescriptor<ReflectionService.Request, ReflectionService.Response, RPCError>(
    service: serviceName, method: "ServerReflectionInfo")

  let reflection: ReflectionService

  func register(in registry: inout ServiceRegistry) {
    registry.add(bidirectional: Self.method) { requests, responses, context async throws in
      try await reflection.answer(requests, responses)
    }
  }
}
