// SPDX-License-Identifier: Apache-2.0

/// Warns of errors for which a proxy takes a healthy server out of service.
///
/// An error that may be retried goes out in one HEADERS frame, for only then do clients retry it (gRPC A6). Of such an answer
/// Envoy's outlier detection reads the status, and some count as 5xx: a few in a row eject the host, although the schema says
/// that they are not its failure.
struct EjectionCheck {
  let schema: Schema

  /// What a comment on the error, or on a category around it, says to silence the warning.
  static let silence = "taxon:ignore host-ejection"

  func run(_ diagnostics: inout Diagnostics) {
    for error in schema.generatedFiles.flatMap(\.errors) {
      guard let traits = error.traits, traits.breaker == .neutral, Self.counts(traits.status),
        traits.retry == .transient || traits.retry == .throttled,
        !([error] + error.categories).contains(where: \.isSilenced)
      else { continue }
      diagnostics.warning(
        error.statusPlace,
        "error \(error.name) is to be retried (\(traits.retry)) and no failure of the server (breaker NEUTRAL), but Envoy's "
          + "outlier detection takes servers out of service for \(traits.status); choose status RESOURCE_EXHAUSTED, "
          + "FAILED_PRECONDITION or ABORTED, or breaker: FAILURE, or silence this with the comment \"\(Self.silence)\"")
    }
  }

  /// Whether Envoy takes the status for a 5xx (measured with 1.40.0).
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
