// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// The standard details that a schema derives from an error's fields: members that only errors with such details have.
extension Emitter {
  func emitDerivedDetails(of message: SchemaMessage) {
    let templates = message.detailTemplates
    let quota = templates.quota.map { quota in
      initializer(
        [
          ("subject", quota.subject), ("description", quota.description), ("apiService", quota.apiService),
          ("quotaMetric", quota.quotaMetric), ("quotaID", quota.quotaID),
        ], message)
    }
    let preconditions = templates.preconditions.map { precondition in
      initializer(
        [
          ("type", precondition.type), ("subject", precondition.subject), ("description", precondition.description),
        ], message)
    }
    let resources = templates.resource.map { resource in
      initializer(
        [
          ("resourceType", resource.type), ("resourceName", resource.name), ("owner", resource.owner),
          ("description", resource.description),
        ], message)
    }
    let help = templates.help.map { initializer([("description", $0.description), ("url", $0.url)], message) }
    let arguments = [
      ("quota", list(quota, message, "google.rpc.QuotaFailure.Violation", in: "google.rpc.QuotaFailure", "violations")),
      (
        "preconditions",
        list(
          preconditions, message, "google.rpc.PreconditionFailure.Violation", in: "google.rpc.PreconditionFailure",
          "violations")
      ),
      ("resources", list(resources.map { [$0] } ?? [], message, "google.rpc.ResourceInfo")),
      ("help", list(help, message, "google.rpc.Help.Link", in: "google.rpc.Help", "links")),
    ].compactMap { label, value in value.map { "\(label): \($0)" } }
    guard !arguments.isEmpty else { return }
    let type = runtime("DerivedDetails")
    writer.blank()
    writer.block("\(access)var derivedDetails: \(type)") {
      writer.list("\(type)(", arguments, ")")
    }
  }

  func emitLocalizedMessages(of message: SchemaMessage) {
    let texts = message.detailTemplates.localized.map { text in
      ".init(locale: \(CodeWriter.literal(text.locale)), message: \(literal(text.message.template, in: message)))"
    }
    guard let value = list(texts, message, "google.rpc.LocalizedMessage") else { return }
    writer.blank()
    writer.computed("\(access)var localizedMessages: [\(runtime("Google_Rpc_LocalizedMessage"))]", value)
  }

  /// What the thrower says, else the field, else what is declared.
  func emitRetryAfter(of message: SchemaMessage) {
    guard let (field, unit) = message.retryAfterField else { return }
    let delay = runtime("RetryDelay")
    var function = unit == .milliseconds ? "milliseconds" : "seconds"
    if case .message = field.type { function = "duration" }
    let value: String
    if case .message = field.type, field.shape == .required {
      value = "\(delay).\(function)(\(stored(field)))"
    } else if field.shape == .optional {
      // A default of proto2 is not set by anybody.
      value = "\(kept(field)).map { \(delay).\(function)($0) }"
    } else {
      value = "(\(stored(field)) == 0 ? nil : \(delay).\(function)(\(stored(field))))"
    }
    writer.blank()
    writer.computed(
      "\(access)var retryAfter: \(standard("Duration"))?",
      "context.retryAfter ?? \(value) ?? Self.declaration.retryAfter")
  }

  /// A value of a message of google.rpc, from the templates that the schema gives.
  private func initializer(_ texts: [(String, DetailTemplates.Text)], _ message: SchemaMessage) -> String {
    let arguments = texts.filter { !$0.1.isEmpty }.map { "\($0.0): \(literal($0.1.template, in: message))" }
    return ".init(\(arguments.joined(separator: ", ")))"
  }

  /// An expression for a list: what templates say, and behind it what fields of the element's type hold, and the elements
  /// in fields of the type that has a list of them. Nil where there is neither.
  private func list(
    _ templates: [String], _ message: SchemaMessage, _ element: String, in outer: String? = nil, _ member: String = ""
  ) -> String? {
    var parts = templates.isEmpty ? [] : ["[\(templates.joined(separator: ", "))]"]
    for field in message.fields where field.safety == .safe {
      guard case .message(let type) = field.type, field.shape != .map else { continue }
      if type.fullName == element {
        let single = optional(field).map { "[\($0)].compactMap { $0 }" } ?? "[\(stored(field))]"
        parts.append(field.isRepeated ? stored(field) : single)
      } else if type.fullName == outer {
        if field.isRepeated {
          parts.append("\(stored(field)).flatMap(\\.\(member))")
        } else if let value = optional(field) {
          parts.append("(\(value)?.\(member) ?? [])")
        } else {
          parts.append("\(stored(field)).\(member)")
        }
      }
    }
    return parts.isEmpty ? nil : parts.joined(separator: " + ")
  }

  /// The expression of a field that may be unset.
  private func optional(_ field: SchemaField) -> String? {
    field.shape == .required && !field.isRequiredCycle ? nil : optionalValue(field)
  }
}
