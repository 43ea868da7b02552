// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// The errors for requests that are wrong. The only place that knows which ones they are.
enum RESTFaults {
  /// Values that do not fit their fields.
  static func invalidRequest(_ violations: [Google_Rpc_BadRequest.FieldViolation]) -> RPCError {
    RPCError(CallError.InvalidRequest(errors: violations))
  }

  /// A body that is no JSON, or not that of the message.
  static func body<M: Message>(
    _ error: JSONDecodingError, _ text: UnsafeBufferPointer<UInt8>, _ type: M.Type, _ options: JSONDecodingOptions
  ) -> RPCError {
    RPCError(.invalidArgument, "The body is malformed: \(error)")
  }

  /// What in the body does not fit; nil when the body is no JSON at all, which goes before everything else.
  static func violations(
    _ error: JSONDecodingError, _ text: UnsafeBufferPointer<UInt8>, _ rule: RESTRule, _ options: JSONDecodingOptions
  ) -> [Google_Rpc_BadRequest.FieldViolation]? {
    nil
  }
}
