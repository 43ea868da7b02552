// SPDX-License-Identifier: Apache-2.0

/// What an error's wire form takes from its declaration, with the unchanging parts encoded.
final class WireFacts: Sendable {
  let identity: ErrorIdentity
  let status: StatusCode
  let httpStatus: Int
  /// `ErrorInfo` without its metadata; nil for a plain gRPC status, which has no identity to send.
  let info: [UInt8]?
  /// `ErrorTraits` up to the instance id.
  let traits: [UInt8]
  /// The whole detail up to the digits of an instance id of ours, for an error without causes.
  let traitsDetail: [UInt8]
  let isSafe: Bool
  let retry: RetryClass
  let breaker: BreakerClass

  init(
    identity: ErrorIdentity, status: StatusCode, httpStatus: Int, categories: [String], severity: Severity,
    retry: RetryClass, breaker: BreakerClass, isSafe: Bool
  ) {
    self.identity = identity
    // An error is no success, whatever a schema or a program says.
    self.status = status == .ok ? .unknown : status
    self.httpStatus = Self.httpStatus(httpStatus, status)
    self.isSafe = isSafe
    self.retry = retry
    self.breaker = breaker

    if identity.domain == RPCError.plainDomain {
      info = nil
    } else {
      var info = ProtobufBytes()
      info.string(1, identity.code)
      info.string(2, identity.domain)
      self.info = info.bytes
    }

    var traits = ProtobufBytes()
    for category in categories { traits.string(1, category) }
    traits.number(2, severity.rawValue)
    traits.number(3, retry.rawValue)
    traits.number(4, breaker.rawValue)
    traits.number(5, Int32(self.httpStatus))
    self.traits = traits.bytes

    let idSize = ProtobufBytes.size(payload: InstanceID.count)
    var detail = ProtobufBytes()
    detail.detail(TypeURL.errorTraits, count: traits.count + idSize + (isSafe ? 2 : 0))
    detail.append(traits.bytes)
    detail.header(6, count: InstanceID.count)
    traitsDetail = detail.bytes
  }

  convenience init(_ declaration: ErrorDeclaration) {
    self.init(
      identity: declaration.identity, status: declaration.status, httpStatus: declaration.httpStatus,
      categories: declaration.categories, severity: declaration.severity, retry: declaration.retry,
      breaker: declaration.breaker, isSafe: declaration.isSafe)
  }

  /// True for what is sent as code and message alone: a status that no schema declares, but for an INTERNAL, whose instance
  /// id is worth telling; and what Taxon raises, where the server is set so.
  func isPlain(_ details: WireOptions.Details) -> Bool {
    if info == nil { return status != .internalError || details == .declaredOnly }
    return details == .declaredOnly && identity.domain == CallError.InternalError.declaration.domain
  }

  /// The HTTP status of an error: what is declared, if it is an error's, else the usual one of its gRPC status.
  static func httpStatus(_ declared: Int, _ status: StatusCode) -> Int {
    (400...599).contains(declared) ? declared : (status == .ok ? .unknown : status).httpStatus
  }
}
