// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonHTTP2
import TaxonProtobuf

/// A service that a server can offer. Generated code conforms each service's protocol to it.
public protocol RPCService: Sendable {
  /// Full name, such as "octollm.v1.Orchestrator".
  static var serviceName: String { get }

  /// The descriptor of the file that declares the service, for reflection; nil when its code was generated without.
  static var fileDescriptor: ProtoFileDescriptor? { get }

  /// Adds the service's methods to what a server answers.
  func register(in registry: inout ServiceRegistry)
}

extension RPCService {
  /// None.
  public static var fileDescriptor: ProtoFileDescriptor? { nil }
}

/// The methods that a server answers, by path.
public struct ServiceRegistry: Sendable {
  private(set) var methods: [String: any RegisteredMethod] = [:]
  private var services: Set<String> = []
  private(set) var duplicates: [String] = []

  init() {}

  mutating func add(_ service: any RPCService) {
    let name = type(of: service).serviceName
    if !services.insert(name).inserted { duplicates.append(name) }
    service.register(in: &self)
  }

  /// Answers a method with a handler. The handler runs on the connection's event loop: what computes for long is to be
  /// moved elsewhere.
  public mutating func add<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>,
    handler: @escaping @Sendable (Request, ServerContext) async throws(Failure) -> Response
  ) {
    methods[method.path] = UnaryMethod(descriptor: method, handler: handler)
  }

  /// Answers a method that declares no errors with a handler that may throw anything.
  public mutating func add<Request, Response>(
    _ method: MethodDescriptor<Request, Response, UndeclaredError>,
    handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
  ) {
    methods[method.path] = UnaryMethod(descriptor: method) {
      (request, context) async throws(UndeclaredError) -> Response in
      do {
        return try await handler(request, context)
      } catch {
        throw UndeclaredError.lift(error)
      }
    }
  }
}

/// A method with its handler, whatever its types.
protocol RegisteredMethod: Sendable {
  var path: String { get }

  func makeCall(_ head: RequestHead, stream: ServerStream, reporter: CallReporter) -> any ServerCall
}
