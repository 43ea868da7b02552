// SPDX-License-Identifier: Apache-2.0
import Taxon

/// What a person or a program wants to know of an error.
struct ErrorReport: Sendable {
  /// On several lines, aligned.
  let text: String
  /// On one line.
  let json: String

  /// - Parameter hint: What the one who called may do about it.
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
      .init("safe", .bool(error.isSafe)),
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
