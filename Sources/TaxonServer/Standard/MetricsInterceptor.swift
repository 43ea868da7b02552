// SPDX-License-Identifier: Apache-2.0
import Metrics
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// Counts and times the calls that reach a handler, with swift-metrics:
///
/// | metric | kind | dimensions |
/// | --- | --- | --- |
/// | `<prefix>.calls` | counter | service, method, code |
/// | `<prefix>.errors` | counter | service, method, code, severity, domain, error_code |
/// | `<prefix>.duration` | timer, in nanoseconds | service, method, code, error_code |
///
/// `code` is the name of the gRPC status, "OK" included; `error_code` is empty where there is none. All are as the caller
/// gets them, so that what a dependency answered, or a method does not declare, adds no values of its own; no field of an error is in any metric.
///
/// The first in `Server.Configuration.interceptors` times the others as well.
public final class MetricsInterceptor: ServerInterceptor {
  private struct Key: Hashable {
    let path: String
    let status: StatusCode
    /// Nil for calls that ended well.
    let error: ErrorIdentity?
    let severity: Severity
  }

  private struct Instruments {
    let calls: Counter
    let errors: Counter?
    let duration: Metrics.Timer
  }

  private let prefix: String
  private let factory: (any MetricsFactory)?
  private let instruments = Locked<[Key: Instruments]>([:])

  /// - Parameters:
  ///   - prefix: What the metrics' names begin with.
  ///   - factory: Where they go; nil: where `MetricsSystem` sends all.
  public init(prefix: String = "taxon.server", factory: (any MetricsFactory)? = nil) {
    self.prefix = prefix
    self.factory = factory
  }

  /// Runs the rest of the call and records what became of it.
  public func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
    let start = ContinuousClock.now
    do {
      try await next()
    } catch {
      record(call.sent(for: error), call, since: start)
      throw error
    }
    record(nil, call, since: start)
  }

  private func record(_ error: (any TaxonomyError)?, _ call: ServerContext, since start: ContinuousClock.Instant) {
    let now = ContinuousClock.now
    var sent = error
    // The server has answered for the handler, which only saw that it was cancelled.
    if let deadline = call.deadline, deadline <= now, sent?.status == .cancelled {
      sent = CallError.DeadlineExceeded()
    }
    let key = Key(
      path: call.path, status: sent?.status ?? .ok, error: sent?.identity, severity: sent?.severity ?? .unspecified)
    let instruments = instruments(key)
    instruments.calls.increment()
    instruments.errors?.increment()
    instruments.duration.record(duration: now - start)
  }

  /// Made once: there are as many as methods have errors.
  private func instruments(_ key: Key) -> Instruments {
    instruments.withLock { all in
      if let known = all[key] { return known }
      let made = make(key)
      all[key] = made
      return made
    }
  }

  private func make(_ key: Key) -> Instruments {
    let factory = factory ?? MetricsSystem.factory
    let parts = key.path.split(separator: "/", maxSplits: 1).map(String.init)
    let code = [("service", parts.first ?? ""), ("method", parts.last ?? ""), ("code", key.status.name)]
    return Instruments(
      calls: Counter(label: "\(prefix).calls", dimensions: code, factory: factory),
      errors: key.error.map { error in
        let dimensions = [
          ("severity", key.severity.description), ("domain", error.domain), ("error_code", error.code),
        ]
        return Counter(label: "\(prefix).errors", dimensions: code + dimensions, factory: factory)
      },
      duration: Metrics.Timer(
        label: "\(prefix).duration", dimensions: code + [("error_code", key.error?.code ?? "")], factory: factory))
  }
}
