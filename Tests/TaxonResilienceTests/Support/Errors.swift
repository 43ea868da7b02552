// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// An error with traits to order, as one of a schema that is not in hand has them.
func failure(
  retry: RetryClass = .transient, breaker: BreakerClass = .failure, isRetrySafe: Bool = false,
  retryAfter: Duration? = nil,
  pushback: String? = nil
) throws -> RPCError {
  let info = Google_Rpc_ErrorInfo(reason: "FAILED", domain: "test.dev")
  let traits = ErrorTraits(severity: .error, retry: retry, breaker: breaker, safe: isRetrySafe)
  let status = Google_Rpc_Status(
    code: StatusCode.unavailable.rawValue,
    details: [
      .init(typeURL: "type.googleapis.com/google.rpc.ErrorInfo", value: try info.encoded()),
      .init(typeURL: "type.googleapis.com/taxon.ErrorTraits", value: try traits.encoded()),
    ])
  var error = RPCError.received(
    ReceivedStatus(code: .unavailable, details: try status.encoded(), pushback: pushback)
  ).error
  if let retryAfter { error = error.retryAfter(retryAfter) }
  return error
}

struct ForeignError: Error, Hashable {
  var number = 0
}
