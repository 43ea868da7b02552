// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Raises any error on demand, so that teams can rehearse how their clients take it. Not for production.
public final class RehearsalService: Rehearsal.Service {
  private struct Count: Hashable {
    var identity: ErrorIdentity
    var key: String
  }

  private let counts = Locked<[Count: Int32]>([:])
  private static let maxCounts = 10_000

  /// A rehearsal.
  public init() {}

  /// Raises the error that the request names, as often as it says.
  public func raise(
    _ request: RaiseRequest, context: ServerContext
  ) async throws(Rehearsal.RaiseError) -> RaiseResponse {
    guard var error = SampleErrors.sample(domain: request.domain, code: request.code) else {
      throw .validationInvalidInput(
        field: "code", description: "There is no error \(request.code) in the domain \"\(request.domain)\"")
    }
    guard request.times >= 0 else {
      throw .validationInvalidInput(field: "times", description: "Times must not be negative")
    }
    if request.times > 0, hasFailedEnough(Count(identity: error.identity, key: request.key), request.times) {
      return RaiseResponse(failures: request.times)
    }
    if let retryAfter = request.retryAfter {
      error.context.retryAfter = Duration(retryAfter)
    }
    throw .lift(error)
  }

  /// Counts a failure, or forgets those there were when they are enough.
  private func hasFailedEnough(_ count: Count, _ times: Int32) -> Bool {
    counts.withLock { counts in
      let failures = counts[count, default: 0]
      if failures >= times {
        counts[count] = nil
        return true
      }
      // Keys that are never asked for again must not fill the memory.
      if counts.count >= Self.maxCounts, counts[count] == nil { counts.removeAll() }
      counts[count] = failures + 1
      return false
    }
  }
}
