// SPDX-License-Identifier: Apache-2.0
import Logging
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// The methods that a server answers, by path. Handlers run on the event loop of their connection, but for those of
/// methods that their service has offloaded.
public struct ServiceRegistry: Sendable {
  private(set) var methods: [String: any RegisteredMethod] = [:]
  private var services: Set<String> = []
  private(set) var duplicates: [String] = []
  /// Paths of methods that were to be offloaded, and are not there.
  private(set) var unknown: [String] = []
  let reporter: CallReporter
  /// Interceptors that services have brought for their own methods, by what the methods' paths begin with.
  private var ownInterceptors: [String: [any ServerInterceptor]] = [:]

  init(_ reporter: CallReporter) { self.reporter = reporter }

  /// The methods of services, with what they declare, in the order of their paths.
  package static func methods(of services: [any RPCService]) -> [ServedMethod] {
    var registry = ServiceRegistry(
      CallReporter(undeclaredErrors: UndeclaredErrors(), logger: Logger(label: "") { _ in SwiftLogNoOpLogHandler() }))
    for service in services { registry.add(service) }
    return registry.served(registry.methods.keys.sorted())
  }

  private func served(_ paths: some Sequence<String>) -> [ServedMethod] {
    paths.compactMap { path in methods[path].map { ServedMethod(path: path, errors: $0.failure.members) } }
  }

  /// Lets interceptors look at the methods that they apply to.
  ///
  /// - Throws: What the first of them throws.
  func prepare(_ interceptors: [any ServerInterceptor]) throws(SetupError) {
    let paths = methods.keys.sorted()
    for interceptor in interceptors {
      try interceptor.prepare(for: served(paths.filter { interceptor.applies(to: $0) }))
    }
    for (prefix, own) in ownInterceptors {
      for interceptor in own {
        try interceptor.prepare(for: served(paths.filter { $0.hasPrefix(prefix) && interceptor.applies(to: $0) }))
      }
    }
  }

  /// Puts an interceptor around the methods of a service, inside of the server's own; for the service to do when it is
  /// registered.
  package mutating func intercept(_ service: String, with interceptor: any ServerInterceptor) {
    ownInterceptors["/\(service)/", default: []].insert(interceptor, at: 0)
  }

  private func interceptors(of path: String) -> [any ServerInterceptor] {
    guard let end = path.dropFirst().firstIndex(of: "/"), let own = ownInterceptors[String(path[...end])] else {
      return []
    }
    return own.filter { $0.applies(to: path) }
  }

  mutating func add(_ service: any RPCService) {
    let name = type(of: service).serviceName
    if !services.insert(name).inserted { duplicates.append(name) }
    service.register(in: &self)
    offload(service.offloadedMethods, of: name)
  }

  private mutating func offload(_ offloaded: OffloadedMethods, of service: String) {
    let prefix = "/\(service)/"
    let paths = offloaded.names?.sorted().map { prefix + $0 } ?? methods.keys.filter { $0.hasPrefix(prefix) }
    for path in paths {
      guard let method = methods[path] else {
        unknown.append(path)
        continue
      }
      methods[path] = method.offloaded()
    }
  }

  /// Puts the interceptors around the methods that they apply to.
  mutating func intercept(with interceptors: [any ServerInterceptor]) {
    guard !interceptors.isEmpty || !ownInterceptors.isEmpty else { return }
    for (path, method) in methods {
      let list = interceptors.filter { $0.applies(to: path) } + self.interceptors(of: path)
      if !list.isEmpty { methods[path] = method.intercepted(by: ServerInterceptors(list: list)) }
    }
  }

  // MARK: Methods that declare errors

  /// Answers a method with one request and one reply.
  @inlinable
  public mutating func add<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>,
    handler: @escaping @Sendable (Request, ServerContext) async throws(Failure) -> Response
  ) {
    unary(method, handler: handler) { (object) async in
      let call = UnaryCall<Request, Response, Failure>.of(object)
      let context = call.begin()
      do throws(Failure) {
        call.succeed(try await handler(call.request, context), context)
      } catch {
        call.fail(error, context)
      }
    }
  }

  /// Answers a method with one request and any number of replies.
  public mutating func add<Request, Response, Failure>(
    serverStreaming method: MethodDescriptor<Request, Response, Failure>,
    handler:
      @escaping @Sendable (Request, ResponseWriter<Response, Failure>, ServerContext) async throws(Failure) -> Void
  ) {
    stream(method, MethodShape(takesMany: false, answersMany: true)) {
      (requests, responses, context) async throws(Failure) in
      // The handler begins when the one message is there.
      guard let request = try await requests.first() else { return }
      try await handler(request, responses, context)
    }
  }

  /// Answers a method with any number of requests and one reply.
  public mutating func add<Request, Response, Failure>(
    clientStreaming method: MethodDescriptor<Request, Response, Failure>,
    handler: @escaping @Sendable (RequestStream<Request, Failure>, ServerContext) async throws(Failure) -> Response
  ) {
    stream(method, MethodShape(takesMany: true, answersMany: false)) {
      (requests, responses, context) async throws(Failure) in
      try await responses.write(try await handler(requests, context), compress: context.compressesReply)
    }
  }

  /// Answers a method with any number of requests and of replies.
  public mutating func add<Request, Response, Failure>(
    bidirectional method: MethodDescriptor<Request, Response, Failure>,
    handler:
      @escaping @Sendable (RequestStream<Request, Failure>, ResponseWriter<Response, Failure>, ServerContext)
      async throws(Failure) -> Void
  ) {
    stream(method, MethodShape(takesMany: true, answersMany: true), handler: handler)
  }

  // MARK: Methods that declare none, whose handlers may throw anything

  /// Answers a method with one request and one reply.
  @inlinable
  public mutating func add<Request, Response>(
    _ method: MethodDescriptor<Request, Response, RPCError>,
    handler: @escaping @Sendable (Request, ServerContext) async throws -> Response
  ) {
    let lifting: @Sendable (Request, ServerContext) async throws(RPCError) -> Response = {
      (request, context) async throws(RPCError) -> Response in
      do { return try await handler(request, context) } catch { throw RPCError.lift(error) }
    }
    unary(method, handler: lifting) { (object) async in
      let call = UnaryCall<Request, Response, RPCError>.of(object)
      let context = call.begin()
      do {
        call.succeed(try await handler(call.request, context), context)
      } catch {
        call.fail(RPCError.lift(error), context)
      }
    }
  }

  /// Answers a method with one request and any number of replies.
  public mutating func add<Request, Response>(
    serverStreaming method: MethodDescriptor<Request, Response, RPCError>,
    handler:
      @escaping @Sendable (Request, ResponseWriter<Response, RPCError>, ServerContext) async throws -> Void
  ) {
    stream(method, MethodShape(takesMany: false, answersMany: true)) {
      (requests, responses, context) async throws(RPCError) in
      do {
        guard let request = try await requests.first() else { return }
        try await handler(request, responses, context)
      } catch {
        throw RPCError.lift(error)
      }
    }
  }

  /// Answers a method with any number of requests and one reply.
  public mutating func add<Request, Response>(
    clientStreaming method: MethodDescriptor<Request, Response, RPCError>,
    handler: @escaping @Sendable (RequestStream<Request, RPCError>, ServerContext) async throws -> Response
  ) {
    stream(method, MethodShape(takesMany: true, answersMany: false)) {
      (requests, responses, context) async throws(RPCError) in
      do {
        try await responses.write(try await handler(requests, context), compress: context.compressesReply)
      } catch {
        throw RPCError.lift(error)
      }
    }
  }

  /// Answers a method with any number of requests and of replies.
  public mutating func add<Request, Response>(
    bidirectional method: MethodDescriptor<Request, Response, RPCError>,
    handler:
      @escaping @Sendable (
        RequestStream<Request, RPCError>, ResponseWriter<Response, RPCError>, ServerContext
      )
      async throws -> Void
  ) {
    stream(method, MethodShape(takesMany: true, answersMany: true)) {
      (requests, responses, context) async throws(RPCError) in
      do { try await handler(requests, responses, context) } catch { throw RPCError.lift(error) }
    }
  }

  /// A unary method; `work` calls its handler without what a deadline and interceptors need.
  @usableFromInline mutating func unary<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>,
    handler: @escaping @Sendable (Request, ServerContext) async throws(Failure) -> Response,
    work: nonisolated(nonsending) @escaping @Sendable (AnyObject) async -> Void
  ) {
    methods[method.path] = UnaryMethod(descriptor: method, handler: handler, work: work, reporter: reporter)
  }

  private mutating func stream<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ shape: MethodShape,
    handler: @escaping StreamingMethod<Request, Response, Failure>.Handler
  ) {
    methods[method.path] = StreamingMethod(
      descriptor: method, shape: shape, handler: handler, reporter: reporter)
  }
}

/// A method with its handler, whatever its types.
protocol RegisteredMethod: ServerMethod {
  var path: String { get }
  /// How the method is called by REST, if it is unary.
  var rules: [HTTPRule] { get }
  /// The descriptor of its requests.
  var request: MessageDescriptor { get }
  /// The descriptor of its responses.
  var response: MessageDescriptor { get }
  /// What it declares.
  var failure: any ErrorUnion.Type { get }

  /// The method with interceptors around its handler.
  func intercepted(by interceptors: ServerInterceptors) -> any RegisteredMethod
  /// The method with its handler on Swift's global pool.
  func offloaded() -> any RegisteredMethod
}

extension ServerStream {
  /// Runs what works for the call with the call's deadline, which calls made in it keep.
  func withDeadline<Result, Failure: Error>(
    _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    guard let deadline else { return try await body() }
    do {
      return try await CallDeadline.$current.withValue(deadline) { try await body() }
    } catch let error as Failure {
      throw error
    } catch {
      // `body` throws nothing else, but `withValue` does not say so.
      preconditionFailure("\(error)")
    }
  }
}

/// The methods of a server, by path.
final class MethodTable: ServerRouter {
  private let methods: [String: any RegisteredMethod]
  private let reporter: CallReporter
  /// Those of the methods that are called by REST.
  let routes: RESTRoutes

  /// - Throws: `SetupError.invalidSetting` when rules of REST are wrong, or when a request would fit two of them.
  init(_ registry: ServiceRegistry) throws(SetupError) {
    methods = registry.methods
    reporter = registry.reporter
    var routes = RESTRoutes()
    // In the order of the paths, so that a mistake is told alike each time.
    for (path, method) in methods.sorted(by: { $0.key < $1.key }) {
      for rule in method.rules {
        do throws(RESTRouteError) {
          try routes.add(rule, method: path, request: method.request, response: method.response)
        } catch {
          throw .invalidSetting(name: "services", value: "\(rule) of \(path)", reason: error.reason)
        }
      }
    }
    self.routes = routes
  }

  func method(_ path: String) -> (any ServerMethod)? { methods[path] }

  func failed(_ error: any TaxonomyError, failure: CallFailure, path: String) {
    reporter.failed(error, failure: failure, path: path, isKnownPath: methods[path] != nil)
  }
}
