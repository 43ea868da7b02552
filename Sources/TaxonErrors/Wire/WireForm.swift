// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// An error as it leaves the process: without its internal fields and its cause. Made by the error, read by
/// `WireStatus` and `ErrorBody`.
public final class WireForm: Sendable {
  let facts: WireFacts
  let message: String
  let metadata: [String: String]
  let violations: [Google_Rpc_BadRequest.FieldViolation]
  let retryAfter: Duration?
  let context: ErrorContext
  let payload: Payload?

  init(
    facts: WireFacts, message: String, metadata: [String: String],
    violations: [Google_Rpc_BadRequest.FieldViolation], retryAfter: Duration?, context: ErrorContext,
    payload: Payload?
  ) {
    self.facts = facts
    self.message = message
    self.metadata = metadata
    self.violations = violations
    self.retryAfter = retryAfter
    self.context = context
    self.payload = payload
  }

  /// The typed error, without its internal fields.
  struct Payload: Sendable {
    let descriptor: MessageDescriptor
    let bytes: [UInt8]

    /// Nil for a message that cannot be encoded, which is one over 2 GiB.
    init?(_ error: some DeclaredError) {
      guard let bytes = try? error.encoded() else { return nil }
      self.bytes = bytes
      descriptor = type(of: error).descriptor
    }
  }
}
