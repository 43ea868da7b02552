// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// Says whether a server can take calls, to load balancers and whoever else asks: `grpc.health.v1.Health` (gRPC health
/// checking protocol).
///
/// ```swift
/// let health = HealthService()
/// let server = Server(configuration, services: [Tasks(), health])
/// health.set(.serving, for: Orchestrator.name)
/// health.set(.notServing, for: Orchestrator.name)
/// ```
///
/// The server as a whole has the empty name and serves from the beginning; services have no status before they are given
/// one. When the server shuts down, all become `.notServing` for good, and those who watch are told and their calls ended.
public final class HealthService: RPCService {
  /// Whether a service takes calls.
  public enum Status: Hashable, Sendable {
    /// Not known yet.
    case unknown
    /// It does.
    case serving
    /// It does not.
    case notServing
  }

  /// "grpc.health.v1.Health"
  public static let serviceName = Grpc_Health_V1_Health.name
  /// That of grpc/health/v1/health.proto.
  public static var fileDescriptor: ProtoFileDescriptor? { HealthAnswers.fileDescriptor }

  private let board = HealthBoard()

  /// The server as a whole serves, and so do these services, by their full names.
  public init(serving services: String...) {
    for service in services { board.set(.serving, for: service) }
  }

  /// Sets the status of a service, or of the server as a whole; who watches it is told when that is a change. From any
  /// thread.
  ///
  /// - Parameters:
  ///   - status: Nil forgets the service, which is then not known any more.
  ///   - service: The full name, such as `Orchestrator.name`; empty for the server as a whole.
  public func set(_ status: Status?, for service: String = "") { board.set(status, for: service) }

  /// The status of a service, or of the server as a whole; nil when there is none.
  public func status(of service: String = "") -> Status? { board.status(of: service) }

  /// Adds Check, List and Watch.
  public func register(in registry: inout ServiceRegistry) { HealthAnswers(board: board).register(in: &registry) }

  /// Everything is `.notServing` from now on, and nobody watches any more.
  public func serverIsShuttingDown() { board.shutDown() }
}

/// The methods on the wire.
private struct HealthAnswers: Grpc_Health_V1_Health.Service {
  typealias Response = Grpc_Health_V1_HealthCheckResponse

  let board: HealthBoard
  /// More are not listed at once (health.proto).
  private static let maxListed = 100

  func check(_ request: Grpc_Health_V1_HealthCheckRequest, context: ServerContext) async throws -> Response {
    guard let status = board.status(of: request.service) else {
      throw RPCError(.notFound, "No service of the name \"\(request.service)\" has a status")
    }
    return Response(status: .init(status))
  }

  func list(
    _ request: Grpc_Health_V1_HealthListRequest, context: ServerContext
  ) async throws -> Grpc_Health_V1_HealthListResponse {
    let all = board.all
    guard all.count <= Self.maxListed else {
      throw RPCError(.resourceExhausted, "There are \(all.count) services; \(Self.maxListed) can be listed")
    }
    return Grpc_Health_V1_HealthListResponse(statuses: all.mapValues { Response(status: .init($0)) })
  }

  func watch(
    _ request: Grpc_Health_V1_HealthCheckRequest, responses: ResponseWriter<Response, RPCError>,
    context: ServerContext
  ) async throws {
    let watcher = board.watch(request.service)
    defer { board.leave(watcher) }
    while let status = try await board.next(watcher) {
      try await responses.write(Response(status: status.map { .init($0) } ?? .serviceUnknown))
    }
  }
}

extension Grpc_Health_V1_HealthCheckResponse.ServingStatus {
  fileprivate init(_ status: HealthService.Status) {
    switch status {
    case .unknown: self = .unknown
    case .serving: self = .serving
    case .notServing: self = .notServing
    }
  }
}
