// SPDX-License-Identifier: Apache-2.0
// swift-format-ignore-file

// What the generator makes of a schema like octollm/v1/errors.proto.
import TaxonErrors
import TaxonProtobuf

/// The client sent something wrong.
public enum ValidationError: ErrorUnion {
  /// See `InvalidInput`.
  case invalidInput(InvalidInput)
  /// See `ValidationErrors`.
  case validationErrors(ValidationErrors)
  /// See `TaskNotFound`.
  case taskNotFound(TaskNotFound)
  /// See `AuthorizationError`.
  case authorization(AuthorizationError)
  /// Any other failure.
  case other(RPCError)

  /// Every declared error in it.
  public static let members: [any DeclaredError.Type] = [InvalidInput.self, ValidationErrors.self, TaskNotFound.self, AuthorizationError.self]

  /// The category.
  public static var category: ErrorCategory? { ErrorCategory(domain: "octollm.dev", path: ["ValidationError"]) }

  /// The case of a member or of an undeclared error.
  public init?(_ error: any TaxonomyError) {
    switch error {
    case let error as InvalidInput: self = .invalidInput(error)
    case let error as ValidationErrors: self = .validationErrors(error)
    case let error as TaskNotFound: self = .taskNotFound(error)
    case let error as AuthorizationError: self = .authorization(error)
    case let error as RPCError: self = .other(error)
    default: return nil
    }
  }

  /// The error in it.
  public var wrapped: any TaxonomyError {
    switch self {
    case .invalidInput(let error): error
    case .validationErrors(let error): error
    case .taskNotFound(let error): error
    case .authorization(let error): error
    case .other(let error): error
    }
  }

  /// Makes a `InvalidInput`.
  public static func invalidInput(field: String, description: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .invalidInput(InvalidInput(field: field, description: description, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `ValidationErrors`.
  public static func validationErrors(errors: [Google_Rpc_BadRequest.FieldViolation] = [], retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .validationErrors(ValidationErrors(errors: errors, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `TaskNotFound`.
  public static func taskNotFound(taskID: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .taskNotFound(TaskNotFound(taskID: taskID, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `AuthorizationError`.
  public static func authorization(action: String, principal: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .authorization(AuthorizationError(action: action, principal: principal, retryAfter: retryAfter, cause: cause))
  }

  /// One field of the input is wrong.
  public struct InvalidInput: DeclaredError {
    /// Field 1, `field`.
    public var field: String
    /// Field 2, `description`.
    public var descriptionField: String
    /// What this occurrence carries.
    public var context: ErrorContext
    /// Fields that this code has no name for.
    public var unknownFields = UnknownFields()

    /// The error with its fields.
    public init(field: String, description: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
      self.field = field
      self.descriptionField = description
      context = ErrorContext(retryAfter: retryAfter, cause: cause)
    }

    /// What the schema says of it.
    public static let declaration = ErrorDeclaration(
      domain: "octollm.dev", code: "VALIDATION_ERROR", categories: ["ValidationError"],
      status: .invalidArgument, httpStatus: 400, severity: .warning, retry: .never, breaker: .neutral)

    /// The text for people.
    public var message: String { "\(descriptionField)" }
    /// The safe fields as text.
    public var safeFields: [(name: String, text: String)] { [("field", ErrorText(field)), ("description", ErrorText(descriptionField))] }
    /// The fields of the request that are wrong.
    public var violations: [Google_Rpc_BadRequest.FieldViolation] { [.init(field: field, description: descriptionField)] }

    /// The full name and the fields.
    public static let descriptor = MessageDescriptor("octollm.v1.ValidationError.InvalidInput", [
      Field("field", 1, .string),
      Field("description", 2, .string),
    ], context: ErrorContext.self)
  }

  /// Several fields of the input are wrong.
  public struct ValidationErrors: DeclaredError {
    /// Field 1, `errors`.
    public var errors: [Google_Rpc_BadRequest.FieldViolation]
    /// What this occurrence carries.
    public var context: ErrorContext
    /// Fields that this code has no name for.
    public var unknownFields = UnknownFields()

    /// The error with its fields.
    public init(errors: [Google_Rpc_BadRequest.FieldViolation] = [], retryAfter: Duration? = nil, cause: (any Error)? = nil) {
      self.errors = errors
      context = ErrorContext(retryAfter: retryAfter, cause: cause)
    }

    /// What the schema says of it.
    public static let declaration = ErrorDeclaration(
      domain: "octollm.dev", code: "VALIDATION_ERRORS", categories: ["ValidationError"],
      status: .invalidArgument, httpStatus: 400, severity: .warning, retry: .never, breaker: .neutral)

    /// The text for people.
    public var message: String { "Validation failed with \(errors.count) errors" }
    /// The fields of the request that are wrong.
    public var violations: [Google_Rpc_BadRequest.FieldViolation] { errors }

    /// The full name and the fields.
    public static let descriptor = MessageDescriptor("octollm.v1.ValidationError.ValidationErrors", [
      Field("errors", 1, .repeated(.message(Google_Rpc_BadRequest.FieldViolation.self))),
    ], context: ErrorContext.self)
  }

  /// The requested task does not exist.
  public struct TaskNotFound: DeclaredError {
    /// Field 1, `task_id`.
    public var taskID: String
    /// What this occurrence carries.
    public var context: ErrorContext
    /// Fields that this code has no name for.
    public var unknownFields = UnknownFields()

    /// The error with its fields.
    public init(taskID: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
      self.taskID = taskID
      context = ErrorContext(retryAfter: retryAfter, cause: cause)
    }

    /// What the schema says of it.
    public static let declaration = ErrorDeclaration(
      domain: "octollm.dev", code: "TASK_NOT_FOUND", categories: ["ValidationError"],
      status: .notFound, httpStatus: 404, severity: .warning, retry: .never, breaker: .neutral)

    /// The text for people.
    public var message: String { "Task \(taskID) not found" }
    /// The safe fields as text.
    public var safeFields: [(name: String, text: String)] { [("task_id", ErrorText(taskID))] }

    /// The full name and the fields.
    public static let descriptor = MessageDescriptor("octollm.v1.ValidationError.TaskNotFound", [
      Field("task_id", 1, .string),
    ], context: ErrorContext.self)
  }

  /// The caller is known and may not do this.
  public struct AuthorizationError: DeclaredError {
    /// Field 1, `action`.
    public var action: String
    /// Field 2, `principal`.
    public var principal: String
    /// What this occurrence carries.
    public var context: ErrorContext
    /// Fields that this code has no name for.
    public var unknownFields = UnknownFields()

    /// The error with its fields.
    public init(action: String, principal: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
      self.action = action
      self.principal = principal
      context = ErrorContext(retryAfter: retryAfter, cause: cause)
    }

    /// What the schema says of it.
    public static let declaration = ErrorDeclaration(
      domain: "octollm.dev", code: "AUTHORIZATION_ERROR", categories: ["ValidationError"],
      status: .permissionDenied, httpStatus: 403, severity: .warning, retry: .never, breaker: .neutral)

    /// The text for people.
    public var message: String { "Not allowed to \(action)" }
    /// The safe fields as text.
    public var safeFields: [(name: String, text: String)] { [("action", ErrorText(action))] }

    public var safePayload: Self {
      var copy = self
      copy.principal = String()
      return copy
    }

    /// The full name and the fields.
    public static let descriptor = MessageDescriptor("octollm.v1.ValidationError.AuthorizationError", [
      Field("action", 1, .string),
      Field("principal", 2, .string),
    ], context: ErrorContext.self)
  }
}

/// Something the call needs is missing or used up.
public enum ResourceError: ErrorUnion {
  /// See `ArmUnavailable`.
  case armUnavailable(ArmUnavailable)
  /// See `RateLimitError`.
  case rateLimit(RateLimitError)
  /// Any other failure.
  case other(RPCError)

  /// Every declared error in it.
  public static let members: [any DeclaredError.Type] = [ArmUnavailable.self, RateLimitError.self]

  /// The case of a member or of an undeclared error.
  public init?(_ error: any TaxonomyError) {
    switch error {
    case let error as ArmUnavailable: self = .armUnavailable(error)
    case let error as RateLimitError: self = .rateLimit(error)
    case let error as RPCError: self = .other(error)
    default: return nil
    }
  }

  /// The error in it.
  public var wrapped: any TaxonomyError {
    switch self {
    case .armUnavailable(let error): error
    case .rateLimit(let error): error
    case .other(let error): error
    }
  }

  /// Makes a `ArmUnavailable`.
  public static func armUnavailable(requiredCapabilities: [String] = [], retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .armUnavailable(ArmUnavailable(requiredCapabilities: requiredCapabilities, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `RateLimitError`.
  public static func rateLimit(limit: Int32, window: Int32, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .rateLimit(RateLimitError(limit: limit, window: window, retryAfter: retryAfter, cause: cause))
  }

  /// No arm can do what the task asks for.
  public struct ArmUnavailable: DeclaredError {
    /// Field 1, `required_capabilities`.
    public var requiredCapabilities: [String]
    /// What this occurrence carries.
    public var context: ErrorContext
    /// Fields that this code has no name for.
    public var unknownFields = UnknownFields()

    /// The error with its fields.
    public init(requiredCapabilities: [String] = [], retryAfter: Duration? = nil, cause: (any Error)? = nil) {
      self.requiredCapabilities = requiredCapabilities
      context = ErrorContext(retryAfter: retryAfter, cause: cause)
    }

    /// What the schema says of it.
    public static let declaration = ErrorDeclaration(
      domain: "octollm.dev", code: "ARM_UNAVAILABLE", categories: ["ResourceError"],
      status: .unavailable, httpStatus: 503, severity: .error, retry: .transient, breaker: .neutral, isRetrySafe: true)

    /// The text for people.
    public var message: String { "No arm available with capabilities: \(ErrorText(requiredCapabilities))" }
    /// The safe fields as text.
    public var safeFields: [(name: String, text: String)] { [("required_capabilities", ErrorText(requiredCapabilities))] }

    /// The full name and the fields.
    public static let descriptor = MessageDescriptor("octollm.v1.ResourceError.ArmUnavailable", [
      Field("required_capabilities", 1, .repeated(.string)),
    ], context: ErrorContext.self)
  }

  /// The caller makes more requests than it may.
  public struct RateLimitError: DeclaredError {
    /// Field 1, `limit`.
    public var limit: Int32
    /// Field 2, `window`.
    public var window: Int32
    /// What this occurrence carries.
    public var context: ErrorContext
    /// Fields that this code has no name for.
    public var unknownFields = UnknownFields()

    /// The error with its fields.
    public init(limit: Int32, window: Int32, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
      self.limit = limit
      self.window = window
      context = ErrorContext(retryAfter: retryAfter, cause: cause)
    }

    /// What the schema says of it.
    public static let declaration = ErrorDeclaration(
      domain: "octollm.dev", code: "RATE_LIMIT_EXCEEDED", categories: ["ResourceError"],
      status: .resourceExhausted, httpStatus: 429, severity: .warning, retry: .throttled, breaker: .neutral, isRetrySafe: true, retryAfter: .seconds(5))

    /// The text for people.
    public var message: String { "Rate limit exceeded: \(ErrorText(limit)) requests per \(ErrorText(window))s" }
    /// The safe fields as text.
    public var safeFields: [(name: String, text: String)] { [("limit", ErrorText(limit)), ("window", ErrorText(window))] }

    /// The full name and the fields.
    public static let descriptor = MessageDescriptor("octollm.v1.ResourceError.RateLimitError", [
      Field("limit", 1, .int32),
      Field("window", 2, .int32),
    ], context: ErrorContext.self)
  }
}

/// Something inside OctoLLM failed.
public enum SystemError: ErrorUnion {
  /// See `DatabaseError`.
  case database(DatabaseError)
  /// Any other failure.
  case other(RPCError)

  /// Every declared error in it.
  public static let members: [any DeclaredError.Type] = [DatabaseError.self]

  /// The case of a member or of an undeclared error.
  public init?(_ error: any TaxonomyError) {
    switch error {
    case let error as DatabaseError: self = .database(error)
    case let error as RPCError: self = .other(error)
    default: return nil
    }
  }

  /// The error in it.
  public var wrapped: any TaxonomyError {
    switch self {
    case .database(let error): error
    case .other(let error): error
    }
  }

  /// Makes a `DatabaseError`.
  public static func database(operation: String, error: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .database(DatabaseError(operation: operation, error: error, retryAfter: retryAfter, cause: cause))
  }

  /// A database operation failed.
  public struct DatabaseError: DeclaredError {
    /// Field 1, `operation`.
    public var operation: String
    /// Field 2, `error`.
    public var error: String
    /// What this occurrence carries.
    public var context: ErrorContext
    /// Fields that this code has no name for.
    public var unknownFields = UnknownFields()

    /// The error with its fields.
    public init(operation: String, error: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
      self.operation = operation
      self.error = error
      context = ErrorContext(retryAfter: retryAfter, cause: cause)
    }

    /// What the schema says of it.
    public static let declaration = ErrorDeclaration(
      domain: "octollm.dev", code: "DATABASE_ERROR", categories: ["SystemError"],
      status: .internalError, httpStatus: 500, severity: .error, retry: .transient, breaker: .failure)

    /// The text for people.
    public var message: String { "Database \(operation) failed" }
    /// The safe fields as text.
    public var safeFields: [(name: String, text: String)] { [("operation", ErrorText(operation))] }
    /// The error without its internal fields.
    public var publicPayload: Self {
      var copy = self
      copy.error = ""
      return copy
    }

    /// The full name and the fields.
    public static let descriptor = MessageDescriptor("octollm.v1.SystemError.DatabaseError", [
      Field("operation", 1, .string),
      Field("error", 2, .string),
    ], context: ErrorContext.self)
  }
}

/// A service outside OctoLLM failed.
public enum ExternalError: ErrorUnion {
  /// See `LLMAPIError`.
  case llmAPI(LLMAPIError)
  /// Any other failure.
  case other(RPCError)

  /// Every declared error in it.
  public static let members: [any DeclaredError.Type] = [LLMAPIError.self]

  /// The case of a member or of an undeclared error.
  public init?(_ error: any TaxonomyError) {
    switch error {
    case let error as LLMAPIError: self = .llmAPI(error)
    case let error as RPCError: self = .other(error)
    default: return nil
    }
  }

  /// The error in it.
  public var wrapped: any TaxonomyError {
    switch self {
    case .llmAPI(let error): error
    case .other(let error): error
    }
  }

  /// Makes a `LLMAPIError`.
  public static func llmAPI(provider: String, statusCode: Int32? = nil, errorMessage: String? = nil, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .llmAPI(LLMAPIError(provider: provider, statusCode: statusCode, errorMessage: errorMessage, retryAfter: retryAfter, cause: cause))
  }

  /// A call to the interface of a language model failed.
  public struct LLMAPIError: DeclaredError {
    /// Field 1, `provider`.
    public var provider: String
    /// Field 2, `status_code`.
    public var statusCode: Int32?
    /// Field 3, `error_message`.
    public var errorMessage: String?
    /// What this occurrence carries.
    public var context: ErrorContext
    /// Fields that this code has no name for.
    public var unknownFields = UnknownFields()

    /// The error with its fields.
    public init(provider: String, statusCode: Int32? = nil, errorMessage: String? = nil, retryAfter: Duration? = nil, cause: (any Error)? = nil) {
      self.provider = provider
      self.statusCode = statusCode
      self.errorMessage = errorMessage
      context = ErrorContext(retryAfter: retryAfter, cause: cause)
    }

    /// What the schema says of it.
    public static let declaration = ErrorDeclaration(
      domain: "octollm.dev", code: "LLM_API_ERROR", categories: ["ExternalError"],
      status: .unavailable, httpStatus: 500, severity: .error, retry: .transient, breaker: .failure)

    /// The text for people.
    public var message: String { "\(provider) API error: \(errorMessage ?? "Unknown error")" }
    /// The safe fields as text.
    public var safeFields: [(name: String, text: String)] {
      var safeFields: [(name: String, text: String)] = [("provider", ErrorText(provider))]
      if let statusCode { safeFields.append(("status_code", ErrorText(statusCode))) }
      if let errorMessage { safeFields.append(("error_message", ErrorText(errorMessage))) }
      return safeFields
    }

    /// The full name and the fields.
    public static let descriptor = MessageDescriptor("octollm.v1.ExternalError.LLMAPIError", [
      Field("provider", 1, .string),
      Field("status_code", 2, .optional(.int32)),
      Field("error_message", 3, .optional(.string)),
    ], context: ErrorContext.self)
  }
}

/// Every error of OctoLLM.
public enum OctoLLMError: ErrorUnion {
  /// See `ValidationError`.
  case validation(ValidationError)
  /// See `ResourceError`.
  case resource(ResourceError)
  /// See `SystemError`.
  case system(SystemError)
  /// See `ExternalError`.
  case external(ExternalError)
  /// Any other failure.
  case other(RPCError)

  /// Every declared error in it.
  public static let members: [any DeclaredError.Type] = ValidationError.members + ResourceError.members + SystemError.members + ExternalError.members

  /// The whole taxonomy.
  public static var category: ErrorCategory? { ErrorCategory(domain: "octollm.dev", path: []) }

  /// The case of a member or of an undeclared error.
  public init?(_ error: any TaxonomyError) {
    switch error {
    case let error as RPCError: self = .other(error)
    default:
      if let inner = ValidationError(error) {
        self = .validation(inner)
      } else if let inner = ResourceError(error) {
        self = .resource(inner)
      } else if let inner = SystemError(error) {
        self = .system(inner)
      } else if let inner = ExternalError(error) {
        self = .external(inner)
      } else {
        return nil
      }
    }
  }

  /// The error in it.
  public var wrapped: any TaxonomyError {
    switch self {
    case .validation(let error): error.wrapped
    case .resource(let error): error.wrapped
    case .system(let error): error.wrapped
    case .external(let error): error.wrapped
    case .other(let error): error
    }
  }
}

/// What getTask raises.
public enum GetTaskError: ErrorUnion {
  /// See `ValidationError.TaskNotFound`.
  case taskNotFound(ValidationError.TaskNotFound)
  /// See `SystemError.DatabaseError`.
  case database(SystemError.DatabaseError)
  /// Any other failure.
  case other(RPCError)

  /// Every declared error in it.
  public static let members: [any DeclaredError.Type] = [ValidationError.TaskNotFound.self, SystemError.DatabaseError.self]

  /// The case of a member or of an undeclared error.
  public init?(_ error: any TaxonomyError) {
    switch error {
    case let error as ValidationError.TaskNotFound: self = .taskNotFound(error)
    case let error as SystemError.DatabaseError: self = .database(error)
    case let error as RPCError: self = .other(error)
    default: return nil
    }
  }

  /// The error in it.
  public var wrapped: any TaxonomyError {
    switch self {
    case .taskNotFound(let error): error
    case .database(let error): error
    case .other(let error): error
    }
  }

  /// Makes a `ValidationError.TaskNotFound`.
  public static func taskNotFound(taskID: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .taskNotFound(ValidationError.TaskNotFound(taskID: taskID, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `SystemError.DatabaseError`.
  public static func database(operation: String, error: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .database(SystemError.DatabaseError(operation: operation, error: error, retryAfter: retryAfter, cause: cause))
  }
}

/// What createTask raises.
public enum CreateTaskError: ErrorUnion {
  /// See `ValidationError.InvalidInput`.
  case invalidInput(ValidationError.InvalidInput)
  /// See `ValidationError.ValidationErrors`.
  case validationErrors(ValidationError.ValidationErrors)
  /// See `ValidationError.AuthorizationError`.
  case authorization(ValidationError.AuthorizationError)
  /// See `ResourceError.RateLimitError`.
  case rateLimit(ResourceError.RateLimitError)
  /// See `ResourceError.ArmUnavailable`.
  case armUnavailable(ResourceError.ArmUnavailable)
  /// See `SystemError.DatabaseError`.
  case database(SystemError.DatabaseError)
  /// See `ExternalError.LLMAPIError`.
  case llmAPI(ExternalError.LLMAPIError)
  /// Any other failure.
  case other(RPCError)

  /// Every declared error in it.
  public static let members: [any DeclaredError.Type] = [ValidationError.InvalidInput.self, ValidationError.ValidationErrors.self, ValidationError.AuthorizationError.self, ResourceError.RateLimitError.self, ResourceError.ArmUnavailable.self, SystemError.DatabaseError.self, ExternalError.LLMAPIError.self]

  /// The case of a member or of an undeclared error.
  public init?(_ error: any TaxonomyError) {
    switch error {
    case let error as ValidationError.InvalidInput: self = .invalidInput(error)
    case let error as ValidationError.ValidationErrors: self = .validationErrors(error)
    case let error as ValidationError.AuthorizationError: self = .authorization(error)
    case let error as ResourceError.RateLimitError: self = .rateLimit(error)
    case let error as ResourceError.ArmUnavailable: self = .armUnavailable(error)
    case let error as SystemError.DatabaseError: self = .database(error)
    case let error as ExternalError.LLMAPIError: self = .llmAPI(error)
    case let error as RPCError: self = .other(error)
    default: return nil
    }
  }

  /// The error in it.
  public var wrapped: any TaxonomyError {
    switch self {
    case .invalidInput(let error): error
    case .validationErrors(let error): error
    case .authorization(let error): error
    case .rateLimit(let error): error
    case .armUnavailable(let error): error
    case .database(let error): error
    case .llmAPI(let error): error
    case .other(let error): error
    }
  }

  /// Makes a `ValidationError.InvalidInput`.
  public static func invalidInput(field: String, description: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .invalidInput(ValidationError.InvalidInput(field: field, description: description, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `ValidationError.ValidationErrors`.
  public static func validationErrors(errors: [Google_Rpc_BadRequest.FieldViolation] = [], retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .validationErrors(ValidationError.ValidationErrors(errors: errors, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `ValidationError.AuthorizationError`.
  public static func authorization(action: String, principal: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .authorization(ValidationError.AuthorizationError(action: action, principal: principal, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `ResourceError.RateLimitError`.
  public static func rateLimit(limit: Int32, window: Int32, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .rateLimit(ResourceError.RateLimitError(limit: limit, window: window, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `ResourceError.ArmUnavailable`.
  public static func armUnavailable(requiredCapabilities: [String] = [], retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .armUnavailable(ResourceError.ArmUnavailable(requiredCapabilities: requiredCapabilities, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `SystemError.DatabaseError`.
  public static func database(operation: String, error: String, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .database(SystemError.DatabaseError(operation: operation, error: error, retryAfter: retryAfter, cause: cause))
  }

  /// Makes a `ExternalError.LLMAPIError`.
  public static func llmAPI(provider: String, statusCode: Int32? = nil, errorMessage: String? = nil, retryAfter: Duration? = nil, cause: (any Error)? = nil) -> Self {
    .llmAPI(ExternalError.LLMAPIError(provider: provider, statusCode: statusCode, errorMessage: errorMessage, retryAfter: retryAfter, cause: cause))
  }
}

extension ErrorRegistry {
  /// The errors of octollm/v1/errors.proto.
  static let octollmV1Errors = ErrorRegistry([
    ValidationError.InvalidInput.self,
    ValidationError.ValidationErrors.self,
    ValidationError.TaskNotFound.self,
    ValidationError.AuthorizationError.self,
    ResourceError.ArmUnavailable.self,
    ResourceError.RateLimitError.self,
    SystemError.DatabaseError.self,
    ExternalError.LLMAPIError.self,
  ])
}
