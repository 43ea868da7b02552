// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import TaxonServer
import Testing

/// grpc.reflection.v1 and v1alpha, over TCP.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct ReflectionTests {
  private typealias Request = Grpc_Reflection_V1_ServerReflectionRequest
  private typealias Response = Grpc_Reflection_V1_ServerReflectionResponse

  /// A service whose file imports others and extends messages of theirs.
  private struct Documented: RPCService {
    static let serviceName = "test.Documented"
    static var fileDescriptor: ProtoFileDescriptor? { .taxonErrors }
    func register(in registry: inout ServiceRegistry) {}
  }

  /// A service with a copy of a file that Taxon has too, under another path.
  private struct Vendoring: RPCService {
    static let serviceName = "test.Vendoring"
    static var fileDescriptor: ProtoFileDescriptor? {
      ProtoFileDescriptor(
        "third_party/google/rpc/status.proto",
        base64: "CiN0aGlyZF9wYXJ0eS9nb29nbGUvcnBjL3N0YXR1cy5wcm90bxIKZ29vZ2xlLnJwYyIICgZTdGF0dXNiBnByb3RvMw==")
    }
    func register(in registry: inout ServiceRegistry) {}
  }

  @Test func aSymbolIsOfTheServicesOwnFile() async throws {
    let answers = try await ask([.fileContainingSymbol("google.rpc.Status")], of: [Vendoring()])
    #expect(try files(answers[0]) == ["third_party/google/rpc/status.proto"])
  }

  private static let versions = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]

  /// Asks all questions in one call.
  private func ask(
    _ questions: [Request.MessageRequest?], _ version: String = versions[0], isOffered: Bool = true,
    of services: [any RPCService] = [Documented(), HealthService(), TextService { text, _ in text }]
  ) async throws -> [Response.MessageResponse] {
    let method = MethodDescriptor<Request, Response, RPCError>(
      service: version, method: "ServerReflectionInfo")
    let answers = Locked<[Response.MessageResponse]>([])
    try await withChannel(to: services, configure: { $0.reflection = isOffered }) { channel, _ async throws in
      let call = channel.bidirectional(method, options: CallOptions())
      var responses = call.responses.makeAsyncIterator()
      for question in questions {
        let request = Request(host: "here", messageRequest: question)
        try await call.write(request)
        let response = try #require(try await responses.next())
        #expect(response.validHost == "here" && response.originalRequest == request)
        let answer = try #require(response.messageResponse)
        answers.withLock { $0.append(answer) }
      }
      call.finish()
      let end = try await responses.next()
      #expect(end == nil)
    }
    return answers.withLock { $0 }
  }

  /// The names of the files in an answer; nil when it is another one.
  private func files(_ answer: Response.MessageResponse) throws -> [String]? {
    guard case .fileDescriptorResponse(let response) = answer else { return nil }
    return try response.fileDescriptorProto.map { try Google_Protobuf_FileDescriptorProto(decoding: $0).name ?? "" }
  }

  @Test(arguments: versions) func servicesAreListed(_ version: String) async throws {
    let answers = try await ask([.listServices("*")], version)
    let names = ["grpc.health.v1.Health"] + Self.versions + ["test.Documented", "test.Text"]
    #expect(answers == [.listServicesResponse(.init(service: names.map { .init(name: $0) }))])
  }

  @Test(arguments: versions) func aFileComesFirstAndThenWhatItImportsOnce(_ version: String) async throws {
    let answers = try await ask(
      [
        .fileByFilename("taxon/errors.proto"), .fileByFilename("taxon/taxonomy.proto"),
        .fileByFilename("nowhere.proto"),
      ],
      version)
    let names = try #require(try files(answers[0]))
    #expect(names.first == "taxon/errors.proto")
    #expect(
      names.dropFirst().sorted() == [
        "google/protobuf/descriptor.proto", "google/protobuf/duration.proto", "google/rpc/code.proto",
        "google/rpc/error_details.proto", "taxon/error_traits.proto", "taxon/taxonomy.proto",
      ])
    // What was asked for is sent though it was sent before; its imports are not.
    #expect(try files(answers[1]) == ["taxon/taxonomy.proto"])
    #expect(
      answers[2]
        == .errorResponse(
          .init(errorCode: Int32(StatusCode.notFound.rawValue), errorMessage: "There is no file nowhere.proto")))
  }

  @Test(arguments: [
    ("taxon.CallError", "taxon/errors.proto"),
    ("taxon.CallError.MalformedMessage", "taxon/errors.proto"),
    ("taxon.CallError.MalformedMessage.reason", "taxon/errors.proto"),
    ("taxon.Severity", "taxon/error_traits.proto"),
    // Values are beside their enum.
    ("taxon.WARNING", "taxon/error_traits.proto"),
    ("taxon.raises", "taxon/taxonomy.proto"),
    ("google.protobuf.FieldDescriptorProto.Type", "google/protobuf/descriptor.proto"),
    ("grpc.health.v1.Health", "grpc/health/v1/health.proto"),
    ("grpc.health.v1.Health.Watch", "grpc/health/v1/health.proto"),
    ("grpc.health.v1.HealthCheckResponse.SERVING", "grpc/health/v1/health.proto"),
    ("grpc.reflection.v1.ServerReflectionRequest.message_request", "grpc/reflection/v1/reflection.proto"),
    ("grpc.reflection.v1alpha.ServerReflectionRequest", "grpc/reflection/v1alpha/reflection.proto"),
  ]) func symbolsAreFound(_ symbol: String, _ file: String) async throws {
    let answers = try await ask([.fileContainingSymbol(symbol)])
    #expect(try files(answers[0])?.first == file)
  }

  /// Clients look the types of an error's details up by their names, whatever the schema imports.
  @Test(
    arguments: [
      ("google.rpc.Status", "google/rpc/status.proto"),
      ("google.rpc.ErrorInfo", "google/rpc/error_details.proto"),
      ("google.rpc.RetryInfo", "google/rpc/error_details.proto"),
      ("google.rpc.BadRequest.FieldViolation", "google/rpc/error_details.proto"),
      ("taxon.ErrorTraits", "taxon/error_traits.proto"),
      ("taxon.ConnectionError.CircuitOpen", "taxon/errors.proto"),
    ], versions)
  func whatErrorsCarryIsFoundWithoutAnImport(_ what: (symbol: String, file: String), _ version: String) async throws {
    let services: [any RPCService] = [TextService { text, _ in text }]
    let answers = try await ask(
      [.fileContainingSymbol(what.symbol), .fileByFilename(what.file)], version, of: services)
    let closure = try #require(try files(answers[0]))
    #expect(closure.first == what.file)
    #expect(try files(answers[1]) == [what.file])
    // Whatever a file imports comes with it.
    guard case .fileDescriptorResponse(let response) = answers[0] else { return }
    for bytes in response.fileDescriptorProto {
      let imports = try Google_Protobuf_FileDescriptorProto(decoding: bytes).dependency
      #expect(Set(imports).isSubset(of: closure))
    }
  }

  @Test(arguments: versions) func extensionsAreFound(_ version: String) async throws {
    let answers = try await ask(
      [
        .fileContainingExtension(.init(containingType: "google.protobuf.MessageOptions", extensionNumber: 51821)),
        .allExtensionNumbersOfType("google.protobuf.MessageOptions"),
        .allExtensionNumbersOfType("taxon.CallError"),
      ], version)
    #expect(try files(answers[0])?.first == "taxon/taxonomy.proto")
    #expect(
      answers[1]
        == .allExtensionNumbersResponse(
          .init(baseTypeName: "google.protobuf.MessageOptions", extensionNumber: [51820, 51821])))
    #expect(answers[2] == .allExtensionNumbersResponse(.init(baseTypeName: "taxon.CallError")))
  }

  @Test(arguments: versions) func whatIsNotThereIsNotFoundAndTheCallGoesOn(_ version: String) async throws {
    let answers = try await ask(
      [
        .fileContainingSymbol("taxon.Nothing"), .fileContainingSymbol(""),
        // Its code was made without a descriptor.
        .fileContainingSymbol("test.Text"), .allExtensionNumbersOfType("taxon.Severity"),
        .fileContainingExtension(.init(containingType: "google.protobuf.MessageOptions", extensionNumber: 1)),
        nil, .listServices(""),
      ], version)
    let codes = answers.map { answer in
      if case .errorResponse(let error) = answer { error.errorCode } else { Int32(0) }
    }
    #expect(codes == [5, 5, 5, 5, 5, 3, 0])
  }

  @Test func itIsOfferedOnlyWhenTheServerIsToldTo() async throws {
    let error = await #expect(throws: RPCError.self) { try await ask([.listServices("")], isOffered: false) }
    #expect(error?.status == .unimplemented)
  }
}
