// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonSchema

/// The standard details that a schema derives from an error's fields.
extension ModuleEmitter {
  func emitLocalizedMessages(of message: SchemaMessage) {
    let messages = message.detailTemplates.localized
    guard !messages.isEmpty else { return }
    writer.blank()
    writer.block("def localized_messages(self) -> dict[str, str]") {
      writer.line("return {")
      writer.indented {
        for each in messages {
          writer.line("\(CodeWriter.literal(each.locale)): \(text(of: each.message.template, in: message)),")
        }
      }
      writer.line("}")
    }
  }

  func emitDerivedDetails(of message: SchemaMessage) {
    let templates = message.detailTemplates
    let quota = templates.quota.map { quota in
      made(
        "QuotaViolation",
        [
          ("subject", quota.subject), ("description", quota.description), ("api_service", quota.apiService),
          ("quota_metric", quota.quotaMetric), ("quota_id", quota.quotaID),
        ], message)
    }
    let preconditions = templates.preconditions.map { precondition in
      made(
        "PreconditionViolation",
        [("type", precondition.type), ("subject", precondition.subject), ("description", precondition.description)],
        message)
    }
    let resources = templates.resource.map { resource in
      made(
        "ResourceInfo",
        [
          ("resource_type", resource.type), ("resource_name", resource.name), ("owner", resource.owner),
          ("description", resource.description),
        ], message)
    }
    let help = templates.help.map { made("HelpLink", [("description", $0.description), ("url", $0.url)], message) }
    let lists = [
      (
        "quota", quota + held(message, "google.rpc.QuotaFailure.Violation", in: "google.rpc.QuotaFailure", "violations")
      ),
      (
        "preconditions",
        preconditions
          + held(
            message, "google.rpc.PreconditionFailure.Violation", in: "google.rpc.PreconditionFailure", "violations")
      ),
      ("resources", (resources.map { [$0] } ?? []) + held(message, "google.rpc.ResourceInfo")),
      ("help", help + held(message, "google.rpc.Help.Link", in: "google.rpc.Help", "links")),
    ].filter { !$0.1.isEmpty }
    guard !lists.isEmpty else { return }
    writer.blank()
    writer.block("def derived_details(self) -> list[runtime.Message]") {
      writer.line("return runtime.derived_details(")
      writer.indented { for (name, elements) in lists { writer.items("\(name)=[", elements, "],") } }
      writer.line(")")
    }
  }

  /// A message of google.rpc, from the templates that the schema gives.
  private func made(_ type: String, _ texts: [(String, DetailTemplates.Text)], _ message: SchemaMessage) -> String {
    let arguments = texts.filter { !$0.1.isEmpty }.map { "\($0.0)=\(text(of: $0.1.template, in: message))" }
    return "runtime.\(type)(\(arguments.joined(separator: ", ")))"
  }

  /// What fields of the element's type hold, and the elements in fields of the type that has a list of them.
  private func held(
    _ message: SchemaMessage, _ element: String, in outer: String? = nil, _ member: String = ""
  ) -> [String] {
    message.fields.compactMap { field in
      guard field.safety == .safe, field.shape != .map, case .message(let type) = field.type else { return nil }
      let attribute = "self.\(PythonIdentifier.attribute(field.name))"
      if type.fullName == element {
        if field.isRepeated { return "*\(attribute)" }
        return field.isOptional ? "*([\(attribute)] if \(attribute) is not None else [])" : attribute
      }
      guard type.fullName == outer else { return nil }
      if field.isRepeated { return "*(each for outer in \(attribute) for each in outer.\(member))" }
      return field.isOptional
        ? "*(\(attribute).\(member) if \(attribute) is not None else [])" : "*\(attribute).\(member)"
    }
  }
}
