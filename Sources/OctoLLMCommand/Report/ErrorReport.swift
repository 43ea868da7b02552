// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon

/// What a person or a program wants to know of an error.
struct ErrorReport: Sendable {
  /// On several lines, aligned.
  let text: String
  /// On one line.
  let json: String

  /// - Parameter hint: What the caller may do about it.
  init(_ error: some TaxonomyError, hint: String? = nil) {
    let fields = typedFields(error)
    text = Self.text(error, fields, hint)
    json = JSONValue.object(Self.members(error, fields, hint)).line
  }

  private static func members(
    _ error: some TaxonomyError, _ fields: [JSONValue.Member], _ hint: String?
  ) -> [JSONValue.Member] {
    let members: [JSONValue.Member] = [
      .init("domain", .string(error.domain)),
      .init("code", .string(error.code)),
      .init("status", .string(error.status.name)),
      .init("http_status", JSONValue(error.httpStatus)),
      .init("message", .string(error.message)),
      .init("category", JSONValue(error.categories.isEmpty ? nil : error.categories.joined(separator: "."))),
      .init("severity", .string(error.severity.description)),
      .init("retry", .string(error.retry.description)),
      .init("breaker", .string(error.breaker.description)),
      .init("safe", .bool(error.isRetrySafe)),
      .init("retry_after", error.retryAfter.map { .double($0 / .seconds(1)) } ?? .null),
      .init("fields", .object(fields)),
      .init("violations", violations(error.violations)),
      .init("causes", JSONValue(error.causes.map(\.description))),
      .init("instance_id", JSONValue(error.instanceID)),
    ]
    return members + (hint.map { [.init("hint", .string($0))] } ?? [])
  }

  private static func text(_ error: some TaxonomyError, _ fields: [JSONValue.Member], _ hint: String?) -> String {
    var lines: [(String, String)] = []
    if error.violations.isEmpty {
      lines += fields.filter { $0.value != .null }.map { ($0.name, $0.value.plainText) }
    } else {
      lines += error.violations.map { ($0.field, $0.description) }
    }
    lines.append(("domain", ([error.domain] + error.categories).joined(separator: " · ")))
    lines.append(("status", "\(error.status.name), HTTP \(error.httpStatus)"))
    lines.append(("severity", error.severity.description))
    lines.append(("retry", "\(error.retry)\(error.retryAfter.map { " after \($0.short)" } ?? "")"))
    lines.append(("breaker", error.breaker.description))
    if !error.causes.isEmpty { lines.append(("causes", error.causes.map(\.description).joined(separator: " ← "))) }
    if let id = error.instanceID { lines.append(("instance", id)) }
    if let hint { lines.append(("hint", hint)) }
    let width = lines.map(\.0.count).max() ?? 0
    return (["\(error.code)  \(error.message)"] + lines.map { "  \($0.0.padded(to: width))  \($0.1)" })
      .joined(separator: "\n")
  }
}

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
