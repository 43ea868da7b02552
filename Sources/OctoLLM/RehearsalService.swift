// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonTesting

/// Raises any error on demand, so that teams can rehearse how their clients take it. Not for production.
///
/// A caller that wants an error of the method it calls, and not of this one, asks for it by the header `taxon-fault`
/// (`FaultInjector`).
public final class RehearsalService: Rehearsal.Service {
  /// What no schema declares. Callers must not see what it says.
  private struct Unforeseen: Error, CustomStringConvertible {
    var description: String { "index 7 is out of bounds" }
  }

  private let counts = FailureCounts()

  /// A rehearsal.
  public init() {}

  /// Raises the error that the request names, as often as it says. `INTERNAL_ERROR` of `taxon.dev`, which stands for errors that no
  /// schema declares, comes of throwing one.
  public func raise(
    _ request: RaiseRequest, context: ServerContext
  ) async throws(Rehearsal.RaiseError) -> RaiseResponse {
    if request.domain == "taxon.dev", request.code == "INTERNAL_ERROR" { throw .lift(Unforeseen()) }
    guard var error = SampleErrors.sample(domain: request.domain, code: request.code) else {
      throw .validationInvalidInput(
        field: "code", description: "There is no error \(request.code) in the domain \"\(request.domain)\"")
    }
    guard request.times >= 0 else {
      throw .validationInvalidInput(field: "times", description: "Times must not be negative")
    }
    if request.times > 0, !counts.fails("\(error.identity) \(request.key)", times: Int(request.times)) {
      return RaiseResponse(failures: request.times)
    }
    if let retryAfter = request.retryAfter {
      error.context.retryAfter = Duration(retryAfter)
    }
    throw .lift(error)
  }
}

/// One sample of each error of OctoLLM: those that tell a story of its own are written here, the others are made from the schema.
public enum SampleErrors {
  /// All of both taxonomies, in the order of the schemas.
  public static let all: [any DeclaredError] = {
    let own = Dictionary(uniqueKeysWithValues: written.map { ($0.identity, $0) })
    return (OctoLLMError.members + ReflexError.members).map { own[$0.declaration.identity] ?? $0.sample }
  }()

  /// The sample of an error; nil when there is no such error.
  public static func sample(domain: String, code: String) -> (any DeclaredError)? {
    byIdentity[ErrorIdentity(domain: domain, code: code)]
  }

  private static let byIdentity = Dictionary(all.map { ($0.identity, $0) }) { first, _ in first }

  private static let written: [any DeclaredError] = [
    ValidationError.InvalidInput(field: "contract.priority", description: "Priority must be between 1 and 10"),
    ValidationError.ValidationErrors(errors: [
      .init(field: "contract.description", description: "Description is required"),
      .init(field: "contract.priority", description: "Priority must be between 1 and 10"),
    ]),
    ValidationError.TaskNotFound(taskID: "42"),
    ValidationError.AuthorizationError(action: "update tasks", principal: "ada"),
    ResourceError.CapacityExceeded(resource: "arm writer", capacity: 2, retryAfter: .seconds(5)),
    ResourceError.RateLimitError(limit: 100, window: 60, retryAfter: .seconds(30)),
    SystemError.DatabaseError(operation: "select", error: "SQLite error 5: database is locked"),
    SystemError.NetworkError(operation: "connect", error: "no route to host 10.0.0.7"),
    ExternalError.LLMAPIError(provider: "parrot", statusCode: 529, errorMessage: "overloaded", retryAfter: .seconds(2)),
    ExternalError.VectorDBError(operation: "query", collection: "tasks", error: "segment 3 is corrupt"),
    ExternalError.ThirdPartyAPIError(
      service: "lexicon", statusCode: 404, errorMessage: "there is no entry for \"arm\""),
    ReflexError.PiiDetected(pattern: "email", excerpt: "ada@example.com"),
    ReflexError.RateLimitExceeded(limit: 100, retryAfter: .seconds(1)),
    ReflexError.InvalidInput(message: "text is empty"),
    ReflexError.NetworkError(error: "no route to host 10.0.0.7"),
    ReflexError.SerializationError(error: "byte 3: truncated"),
    ReflexError.Internal(error: "index out of range"),
  ]
}
