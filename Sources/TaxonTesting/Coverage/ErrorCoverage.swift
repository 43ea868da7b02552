// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonClient
import TaxonErrors
import TaxonProtobuf
import TaxonServer

/// Records which declared errors reached a caller while tests ran, to say which never did: paths of the callers that no test has
/// ever gone.
///
/// ```swift
/// let coverage = ErrorCoverage(of: Orchestrator.Fake())
/// configuration.interceptors.append(coverage)   // of the channels that the tests use
/// …
/// #expect(coverage.report.isComplete, "\(coverage.report)")
/// ```
public final class ErrorCoverage: ClientInterceptor, Sendable {
  private let state: Locked<[String: [ErrorIdentity: Int]]>
  private let methods: [ServedMethod]

  /// A record for the methods of these services, of which fakes will do. Health checks and reflection are left out.
  public init(of services: any RPCService...) {
    methods = ServiceRegistry.methods(of: services).filter { !$0.path.hasPrefix("/grpc.") }
    state = Locked([:])
  }

  /// Records what the call ended with.
  public func intercept(_ call: ClientContext, next: () async throws -> Void) async throws {
    do {
      try await next()
    } catch {
      if let error = error as? any TaxonomyError { record(error, path: call.path) }
      throw error
    }
  }

  /// Records an error that a caller of a method has caught, for tests that call a handler or a fake without a channel.
  public func record<Request, Response, Failure>(
    _ error: Failure, of method: MethodDescriptor<Request, Response, Failure>
  ) {
    record(error, path: method.path)
  }

  private func record(_ error: some TaxonomyError, path: String) {
    state.withLock { $0[path, default: [:]][error.identity, default: 0] += 1 }
  }

  /// What was recorded by now, against what the methods declare. An error that a method does not declare is not in it.
  public var report: CoverageReport {
    let counts = state.withLock { $0 }
    return CoverageReport(
      methods.flatMap { method in
        method.errors.map { type in
          let identity = type.declaration.identity
          return .init(
            method: String(method.path.dropFirst()), error: identity, count: counts[method.path]?[identity] ?? 0)
        }
      })
  }
}

/// How often each declared error of each method reached a caller.
public struct CoverageReport: Sendable, Hashable, CustomStringConvertible {
  /// One error of one method.
  public struct Entry: Sendable, Hashable {
    /// Such as "octollm.v1.Orchestrator/GetTask".
    public let method: String
    /// The error.
    public let error: ErrorIdentity
    /// How often a caller got it.
    public let count: Int

    /// An entry.
    public init(method: String, error: ErrorIdentity, count: Int) {
      self.method = method
      self.error = error
      self.count = count
    }
  }

  /// All errors of all methods, by the names of the methods and of the errors.
  public let entries: [Entry]

  /// A report; entries for the same error of the same method are added up.
  public init(_ entries: [Entry]) {
    var counts: [Entry: Int] = [:]
    for entry in entries {
      counts[Entry(method: entry.method, error: entry.error, count: 0), default: 0] += entry.count
    }
    self.entries = counts.map { Entry(method: $0.key.method, error: $0.key.error, count: $0.value) }
      .sorted { ($0.method, $0.error.domain, $0.error.code) < ($1.method, $1.error.domain, $1.error.code) }
  }

  /// Those that no caller ever got.
  public var missing: [Entry] { entries.filter { $0.count == 0 } }
  /// Whether each declared error of each method reached a caller.
  public var isComplete: Bool { missing.isEmpty }

  /// The counts of both, as of two processes that ran parts of the tests.
  public func merged(with other: CoverageReport) -> CoverageReport { CoverageReport(entries + other.entries) }

  /// How many of them were caught, and a line for each method with those that were not.
  public var description: String {
    let missing = missing
    var lines = ["\(entries.count - missing.count) of \(entries.count) declared errors reached a caller"]
    for (method, entries) in Dictionary(grouping: missing, by: \.method).sorted(by: { $0.key < $1.key }) {
      lines.append("\(method): no test caught \(entries.map(\.error.code).joined(separator: ", "))")
    }
    return lines.joined(separator: "\n")
  }
}
