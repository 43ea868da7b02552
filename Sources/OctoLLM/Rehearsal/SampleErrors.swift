// SPDX-License-Identifier: Apache-2.0
import Taxon

/// One sample of each error of OctoLLM, with realistic fields.
public enum SampleErrors {
  /// All of both taxonomies.
  public static let all: [any DeclaredError] = validation + resource + system + external + reflex

  /// The sample of an error; nil when there is no such error.
  public static func sample(domain: String, code: String) -> (any DeclaredError)? {
    byIdentity[ErrorIdentity(domain: domain, code: code)]
  }

  private static let byIdentity = Dictionary(all.map { ($0.identity, $0) }) { first, _ in first }

  private static let validation: [any DeclaredError] = [
    ValidationError.InvalidInput(field: "contract.priority", description: "Priority must be between 1 and 10"),
    ValidationError.ValidationErrors(errors: [
      .init(field: "contract.description", description: "Description is required"),
      .init(field: "contract.priority", description: "Priority must be between 1 and 10"),
    ]),
    ValidationError.TaskNotFound(taskID: "42"),
    ValidationError.AuthenticationError(reason: "unknown token"),
    ValidationError.AuthorizationError(action: "update tasks", principal: "ada"),
  ]

  private static let resource: [any DeclaredError] = [
    ResourceError.ArmUnavailable(requiredCapabilities: ["vision", "speech"]),
    ResourceError.CapacityExceeded(resource: "arm writer", capacity: 2, retryAfter: .seconds(5)),
    ResourceError.RateLimitError(limit: 100, window: 60, retryAfter: .seconds(30)),
  ]

  private static let system: [any DeclaredError] = [
    SystemError.DatabaseError(operation: "select", error: "SQLite error 5: database is locked"),
    SystemError.CacheError(operation: "get", error: "connection refused"),
    SystemError.NetworkError(operation: "connect", error: "no route to host 10.0.0.7"),
    SystemError.TimeoutError(operation: "Arm writer", timeout: 30),
  ]

  private static let external: [any DeclaredError] = [
    ExternalError.LLMAPIError(provider: "parrot", statusCode: 529, errorMessage: "overloaded", retryAfter: .seconds(2)),
    ExternalError.VectorDBError(operation: "query", collection: "tasks", error: "segment 3 is corrupt"),
    ExternalError.ThirdPartyAPIError(
      service: "lexicon", statusCode: 404, errorMessage: "there is no entry for \"arm\""),
  ]

  private static let reflex: [any DeclaredError] = [
    ReflexError.PiiDetected(pattern: "email", excerpt: "ada@example.com"),
    ReflexError.RateLimitExceeded(limit: 100, retryAfter: .seconds(1)),
    ReflexError.InvalidInput(message: "text is empty"),
    ReflexError.CacheError(error: "connection refused"),
    ReflexError.NetworkError(error: "no route to host 10.0.0.7"),
    ReflexError.SerializationError(error: "byte 3: truncated"),
    ReflexError.Internal(error: "index out of range"),
  ]
}
