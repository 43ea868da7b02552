// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon

/// The fields of an error, by their names in the schema, as the typed payload has them.
///
/// No `switch` here lists every error: a new one in the schema is no reason to edit this file. Its safe fields are
/// printed as text then, like those of an error that only the server knows.
func typedFields(_ error: some TaxonomyError) -> [JSONValue.Member] {
  let members =
    switch OctoLLMError.lift(error) {
    case .validation(let error): fields(error)
    case .resource(let error): fields(error)
    case .system(let error): fields(error)
    case .external(let error): fields(error)
    default: fields(ReflexError.lift(error))
    }
  if !members.isEmpty { return members }
  return error.metadata.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }
}

private func fields(_ error: ValidationError) -> [JSONValue.Member] {
  switch error {
  case .invalidInput(let error):
    [.init("field", .string(error.field)), .init("description", .string(error.descriptionField))]
  case .validationErrors(let error): [.init("errors", violations(error.errors))]
  case .taskNotFound(let error): [.init("task_id", .string(error.taskID))]
  case .authentication(let error): [.init("reason", .string(error.reason))]
  case .authorization(let error):
    [.init("action", .string(error.action)), .init("principal", .string(error.principal))]
  default: []
  }
}

private func fields(_ error: ResourceError) -> [JSONValue.Member] {
  switch error {
  case .armUnavailable(let error): [.init("required_capabilities", JSONValue(error.requiredCapabilities))]
  case .capacityExceeded(let error):
    [.init("resource", .string(error.resource)), .init("capacity", JSONValue(error.capacity))]
  case .rateLimit(let error): [.init("limit", JSONValue(error.limit)), .init("window", JSONValue(error.window))]
  default: []
  }
}

private func fields(_ error: SystemError) -> [JSONValue.Member] {
  switch error {
  case .database(let error): [.init("operation", .string(error.operation))]
  case .cache(let error): [.init("operation", .string(error.operation))]
  case .network(let error): [.init("operation", .string(error.operation))]
  case .timeout(let error):
    [.init("operation", .string(error.operation)), .init("timeout", JSONValue(error.timeout))]
  default: []
  }
}

private func fields(_ error: ExternalError) -> [JSONValue.Member] {
  switch error {
  case .llmAPI(let error):
    [
      .init("provider", .string(error.provider)), .init("status_code", JSONValue(error.statusCode)),
      .init("error_message", JSONValue(error.errorMessage)),
    ]
  case .vectorDB(let error):
    [.init("operation", .string(error.operation)), .init("collection", .string(error.collection))]
  case .thirdPartyAPI(let error):
    [
      .init("service", .string(error.service)), .init("status_code", JSONValue(error.statusCode)),
      .init("error_message", JSONValue(error.errorMessage)),
    ]
  default: []
  }
}

private func fields(_ error: ReflexError) -> [JSONValue.Member] {
  switch error {
  case .piiDetected(let error):
    [.init("pattern", .string(error.pattern)), .init("excerpt", .string(error.excerpt))]
  case .rateLimitExceeded(let error): [.init("limit", JSONValue(error.limit))]
  case .invalidInput(let error): [.init("message", .string(error.messageField))]
  // What the others have is internal and does not leave the server.
  default: []
  }
}

func violations(_ violations: [Google_Rpc_BadRequest.FieldViolation]) -> JSONValue {
  .array(
    violations.map { ["field": .string($0.field), "description": .string($0.description)] })
}
