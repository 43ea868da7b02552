// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// An error as it leaves the process: without its internal fields and its cause. Made by the error, read by
/// `WireStatus` and `ErrorBody`.
public struct WireForm: Sendable {
  let facts: WireFacts
  let message: String
  let metadata: [String: String]
  let violations: [Google_Rpc_BadRequest.FieldViolation]
  let retryAfter: Duration?
  let context: ErrorContext
  let payload: Payload?

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
