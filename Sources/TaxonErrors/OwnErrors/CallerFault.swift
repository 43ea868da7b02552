// SPDX-License-Identifier: Apache-2.0

extension RPCError {
  /// The error of a request that cannot be read, as Connect and HTTP have it: the fault of the caller, INVALID_ARGUMENT and 400. gRPC has
  /// INTERNAL for it ("Error parsing request proto", its document on status codes), which is what `CallError` declares.
  ///
  /// Keeps identity, message and fields. Any other error stays as it is.
  package var asCallerFault: RPCError {
    guard status == .internalError, domain == CallError.ProtocolViolation.declaration.domain else { return self }
    return RPCError(
      Facts(
        identity: identity, status: .invalidArgument, message: message,
        httpStatus: StatusCode.invalidArgument.httpStatus, severity: .warning, retry: .never, breaker: .neutral,
        categories: categories, metadata: metadata),
      context: context)
  }
}
