// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Checks what each error and each category declares: status, HTTP status, template and the rules of fields.
struct ErrorCheck {
  let schema: Schema

  func run(_ diagnostics: inout Diagnostics) {
    for file in schema.generatedFiles {
      for message in file.allMessages {
        if let category = message.category {
          checkStatus(of: message, category, &diagnostics)
        } else if let error = message.error {
          checkStatus(of: message, error.declared, &diagnostics)
          if message.traits == nil && error.declared.status != .ok {
            diagnostics.error(
              message.place, "error \(message.name) has no status; add status: … to it or to a category around it")
          }
          checkTemplate(of: message, error, &diagnostics)
        }
        checkRules(of: message, &diagnostics)
      }
    }
  }

  // MARK: Status

  /// Checks only what is declared here: an inherited mistake is reported where it is declared.
  private func checkStatus(of message: SchemaMessage, _ declared: DeclaredTraits, _ diagnostics: inout Diagnostics) {
    if let retryAfter = declared.retryAfter, retryAfter.seconds < 0 || retryAfter.nanos < 0 {
      diagnostics.error(
        declared.place.field(declared.numbers.retryAfter, naming: "retry_after"),
        "retry_after is negative; write the time to wait, or leave it out")
    } else if let retryAfter = declared.retryAfter, !retryAfter.isInBounds {
      diagnostics.error(
        declared.place.field(declared.numbers.retryAfter, naming: "retry_after"),
        "retry_after is out of bounds; durations have at most 315576000000 seconds and less than 1000000000 nanos")
    }
    if declared.status == .ok {
      diagnostics.error(
        declared.place.field(declared.numbers.status, naming: "OK"),
        "status OK is not an error; choose one of the other codes of google.rpc.Code")
      return
    }
    guard declared.status != nil || declared.http != nil else { return }
    let traits = message.inheritedTraits ?? declared
    guard let http = traits.http else { return }
    let place =
      declared.http == nil
      ? declared.place.field(declared.numbers.status, naming: "status")
      : declared.place.field(declared.numbers.http, naming: "http")
    if let status = traits.status, status != .ok {
      if let mistake = HTTPRules.contradiction(status, http) { diagnostics.error(place, mistake) }
    } else if !(400...599).contains(http) {
      diagnostics.error(place, "http \(http) is not an error; choose 400 to 599, or leave http out")
    }
  }

  // MARK: Template

  private func checkTemplate(of message: SchemaMessage, _ error: ErrorFacts, _ diagnostics: inout Diagnostics) {
    let place = error.place.field(ErrorFacts.messageNumber, naming: "\"\(error.templateText)\"")
    if let mistake = Template.mistake(in: error.templateText) { diagnostics.error(place, mistake) }
    for reference in error.template.references { check(reference, in: message, place, &diagnostics) }
    for text in message.detailTemplates.texts {
      for reference in text.template.references { check(reference, in: message, text.place, &diagnostics) }
    }
  }

  private func check(
    _ reference: Template.Reference, in message: SchemaMessage, _ place: Place, _ diagnostics: inout Diagnostics
  ) {
    let source = reference.source
    guard let field = message.fields.first(where: { $0.name == reference.name }) else {
      let nearest = Nearest.name(to: reference.name, among: message.fields.map(\.name))
      diagnostics.error(
        place,
        "the template names \(source), and \(message.name) has no field \"\(reference.name)\"; "
          + (nearest.map { "did you mean {\($0)}?" } ?? "declare the field, or take it out of the template"))
      return
    }
    if field.safety != .safe {
      let reach = field.safety == .personal ? "may only go into the payload" : "never leaves the process"
      diagnostics.error(
        place,
        "the template names \(source), which is \(field.safety) and \(reach); take it out of the template")
    }
    let isMany = field.shape == .map || field.isRepeated
    if reference.isCount {
      guard !isMany else { return }
      diagnostics.error(
        place, "the template counts \(source), which is not repeated; write {\(field.name)}")
    } else if field.shape == .map {
      diagnostics.error(place, "the template names \(source), which is a map; write {\(field.name).count}")
    } else if case .message = field.type {
      let mend = isMany ? "write {\(field.name).count}" : "name a scalar field"
      diagnostics.error(place, "the template names \(source), which is a message; \(mend)")
    }
  }

  // MARK: Rules of fields

  private func checkRules(of message: SchemaMessage, _ diagnostics: inout Diagnostics) {
    var first: [Violation: SchemaField] = [:]
    for field in message.fields {
      guard let rules = field.rules else { continue }
      if message.error == nil && message.category == nil {
        diagnostics.error(
          rules.place.whole,
          "(taxon.field) is set on field \"\(field.name)\", but message \(message.name) is not an error; "
            + "take the option away")
        continue
      }
      checkRetryAfter(rules, of: field, in: message, &diagnostics)
      guard rules.violation != .unspecified else { continue }
      let violation = "violation = \(rules.violation)"
      let place = rules.place.field(SchemaField.Rules.violationNumber, naming: "violation")
      if !field.isText {
        diagnostics.error(
          place,
          "\(violation) is set on field \"\(field.name)\", which is not a string; take it away or use a string")
      } else if rules.safety != .safe {
        diagnostics.error(
          place,
          "\(violation) would send to everybody field \"\(field.name)\", which is \(rules.safety); take one of them away"
        )
      } else if let first = first[rules.violation] {
        diagnostics.error(
          place, "\(violation) is set on field \"\(first.name)\" already; leave it on one of them")
      } else {
        first[rules.violation] = field
      }
    }
    if message.error != nil, let field = first[.field], first[.description] == nil,
      !message.fields.contains(where: { $0.rules?.violation == .description })
    {
      diagnostics.error(
        field.rules?.place.field(SchemaField.Rules.violationNumber, naming: "violation") ?? field.place,
        "violation = FIELD is set on field \"\(field.name)\" and no field says what is wrong with it; "
          + "add violation = DESCRIPTION to a string field")
    }
  }
}

extension ErrorCheck {
  /// A field that says how long to wait is the only one of its error, goes everywhere, and has one time.
  private func checkRetryAfter(
    _ rules: SchemaField.Rules, of field: SchemaField, in message: SchemaMessage, _ diagnostics: inout Diagnostics
  ) {
    guard rules.retryAfter != .unspecified else { return }
    let rule = "retry_after = \(rules.retryAfter)"
    let place = rules.place.field(SchemaField.Rules.retryAfterNumber, naming: "retry_after")
    if !field.isTime {
      diagnostics.error(
        place,
        "\(rule) is set on field \"\(field.name)\", which is no single integer or google.protobuf.Duration; take it away or "
          + "use one of these")
    } else if rules.safety != .safe {
      diagnostics.error(
        place,
        "\(rule) would send to everybody field \"\(field.name)\", which is \(rules.safety); take one of them away")
    } else if let first = message.retryAfterField?.field, first !== field {
      diagnostics.error(place, "\(rule) is set, and on field \"\(first.name)\" too; leave it on one of them")
    }
  }
}

extension SchemaField {
  /// A single integer or google.protobuf.Duration.
  fileprivate var isTime: Bool {
    guard !isRepeated, shape != .map, oneof == nil else { return false }
    return switch type {
    case .scalar(.double), .scalar(.float), .scalar(.bool), .scalar(.string), .scalar(.bytes), .enumeration: false
    case .scalar: true
    case .message(let message): message.fullName == "google.protobuf.Duration"
    }
  }

  /// A singular string.
  fileprivate var isText: Bool {
    guard case .scalar(.string) = type else { return false }
    return shape == .plain || shape == .optional
  }
}

/// Warns of errors for which a proxy takes a healthy server out of service.
///
/// A retryable error is sent in one HEADERS frame, because clients retry only that (gRPC A6). Envoy's outlier detection
/// reads the status of such an answer and counts some as 5xx: a few in a row eject the host, although the schema says
/// that it has not failed.
struct EjectionCheck {
  let schema: Schema

  /// The line that silences the warning, in a comment on the error or on a category around it.
  static let silence = "taxon:ignore host-ejection"

  func run(_ diagnostics: inout Diagnostics) {
    for error in schema.generatedFiles.flatMap(\.errors) {
      guard let traits = error.traits, traits.breaker == .neutral, Self.counts(traits.status),
        traits.retry == .transient || traits.retry == .throttled,
        !([error] + error.categories).contains(where: \.isSilenced)
      else { continue }
      diagnostics.warning(
        error.statusPlace,
        "error \(error.name) is retryable (\(traits.retry)) and not a failure of the server (breaker NEUTRAL), but Envoy's "
          + "outlier detection takes servers out of service for \(traits.status); choose status RESOURCE_EXHAUSTED, "
          + "FAILED_PRECONDITION or ABORTED, or breaker: FAILURE, or silence this with the comment \"\(Self.silence)\"")
    }
  }

  /// Whether Envoy counts the status as a 5xx (measured with 1.40.0).
  private static func counts(_ status: Google_Rpc_Code) -> Bool {
    switch status {
    case .unimplemented, .unavailable, .internal, .unknown, .dataLoss, .deadlineExceeded: true
    default: false
    }
  }
}

extension SchemaMessage {
  fileprivate var isSilenced: Bool {
    (comment ?? "").split(separator: "\n").contains { $0.drop(while: \.isWhitespace).hasPrefix(EjectionCheck.silence) }
  }

  /// Where an error's own status is written, or else its name.
  fileprivate var statusPlace: Place {
    guard let declared = error?.declared, let status = declared.status else { return place }
    return declared.place.field(declared.numbers.status, naming: "\(status)")
  }
}
