// SPDX-License-Identifier: Apache-2.0
import Synchronization
import TaxonProtobuf

/// A failed call as its trailers say it.
///
/// The details are a `google.rpc.Status` with, in this order: `ErrorInfo`, the error itself, `taxon.ErrorTraits`, `RetryInfo`,
/// `BadRequest`, `QuotaFailure`, `PreconditionFailure`, `ResourceInfo`, `RequestInfo`, `Help`, `LocalizedMessage`, and whatever the thrower added, as it was given; where that is of a type that is derived here, it stands for
/// it. A plain gRPC status has what the thrower added, and no more. Personal fields are in the error itself alone, internal
/// fields nowhere.
public struct WireStatus: Hashable, Sendable {
  /// 8,192 bytes: grpcio refuses header lists above that at random, and gRPC's C core of Debian 12 always.
  public static let defaultBudget = 8192

  /// For `grpc-status`; never `.ok`.
  public let code: StatusCode
  /// For `grpc-message`, before percent-encoding; may be empty.
  public let message: String
  /// For `grpc-status-details-bin`, before base64. Empty when there is nothing to say that code and message do not, and when
  /// not even the status fits the budget.
  public let details: [UInt8]
  /// For `grpc-retry-pushback-ms`: milliseconds.
  public let retryPushback: Int64?
  /// For `retry-after`: whole seconds, rounded up (RFC 9110 §10.2.3).
  public let retryAfter: Int64?
  /// True: the error is one frame where nothing else has to go before (Trailers-Only); false: headers, then trailers.
  public let isOneFrame: Bool
  /// Names this occurrence, here and in the log.
  public var instanceID: String { id.text }
  private let id: InstanceID
  /// What had to be left out to keep the budget: names of message types, "metadata.<key>", "message". To be logged; the
  /// caller reads it in `TaxonomyError.omitted`.
  public let dropped: [String]

  /// The trailers of an error.
  public init(_ error: some TaxonomyError, _ options: WireOptions = WireOptions()) {
    self = error.acceptVisitor(StatusMaker(options: options))
  }

  /// The trailers of an error, of at most `budget` bytes.
  public init(_ error: some TaxonomyError, budget: Int) {
    self.init(error, WireOptions(budget: budget))
  }

  /// The trailers of anything thrown. What is not a taxonomy error, and has no conversion to one, leaves as
  /// `INTERNAL_ERROR` with nothing of what it says.
  public init(_ error: some Error, _ options: WireOptions = WireOptions()) {
    self = StatusMaker(options: options).undeclared(RPCError.lift(error))
  }

  fileprivate init(_ writer: borrowing StatusWriter, _ options: WireOptions, payload: StatusWriter.Payload) {
    code = writer.facts.status
    id = writer.id
    retryPushback = writer.retryAfter.map(\.waitMilliseconds)
    retryAfter = writer.retryAfter.map(\.waitSeconds)
    let cost = TrailerCost(hasHint: writer.retryAfter != nil, reserved: options.reserved)
    let wantsOneFrame = writer.facts.wantsOneFrame(options.framing)
    let budget = options.budget - TrailerCost.proxies
    var limit = budget
    if wantsOneFrame == true, options.framing == .bySchema { limit = min(limit, WireOptions.maxFrameBlock) }
    var details: [UInt8]
    if writer.isBare {
      (message, details) = (cost.fitting(writer.message, limit, budget), [])
      dropped = message == writer.message ? [] : ["message"]
    } else {
      let whole: [UInt8]? = ProtobufBytes.withScratch { bytes in
        writer.write(to: &bytes, payload)
        return cost.fits(message: writer.message, details: bytes.count, limit) ? bytes.bytes : nil
      }
      if let whole {
        (message, details, dropped) = (writer.message, whole, [])
      } else {
        var fitted = writer.fit(limit, cost, payload)
        // Trailing metadata leaves one frame no room for what says which error it is: that matters more than the frame.
        if fitted.details.isEmpty, limit < budget { fitted = writer.fit(budget, cost, payload) }
        (message, details, dropped) = (fitted.message, fitted.details, fitted.omitted)
      }
    }
    if let damage = writer.injection?.damage { damage.apply(to: &details) }
    self.details = details
    switch (wantsOneFrame, options.framing) {
    case (false, _): isOneFrame = false
    case (_, .oneFrame): isOneFrame = true
    // What stays large though it was cut, by trailing metadata perhaps, would not pass nginx.
    default: isOneFrame = cost.fits(message: message, details: details.count, WireOptions.maxFrameBlock)
    }
  }
}

extension TaxonomyError {
  /// The trailers with which it leaves the process. What came out of a call is not passed on where it is undeclared: it is the
  /// cause of an `INTERNAL_ERROR` here.
  public func wireStatus(_ options: WireOptions) -> WireStatus { WireStatus(self, options) }
}

extension WireOptions {
  /// The message of an error in the language that the request asks for; nil for English, and where there is none.
  func localized(_ error: some DeclaredError) -> Google_Rpc_LocalizedMessage? {
    guard let languages else { return nil }
    let messages = error.localizedMessages
    return messages.isEmpty ? nil : LanguageRanges(languages).choose(messages)
  }
}

/// Makes the trailers of an error.
private struct StatusMaker: ErrorVisitor {
  let options: WireOptions

  func declared(_ error: some DeclaredError) -> WireStatus {
    let writer = StatusWriter(
      facts: type(of: error).declaration.cached(WireFacts.init), message: error.message, fields: error.safeFields,
      violations: error.violations, declared: error.derivedDetails, localized: options.localized(error),
      retryAfter: error.retryAfter, context: error.context, payloadName: type(of: error).descriptor.name, options)
    let payload = error.publicPayload
    return WireStatus(writer, options) { $0.detail(payload) }
  }

  func undeclared(_ error: RPCError) -> WireStatus {
    if error.context.isFromCall { return declared(CallError.InternalError(cause: error)) }
    if let known = error.declared { return declared(known) }
    let facts = WireFacts(
      identity: error.identity, status: error.status, httpStatus: error.httpStatus, categories: error.categories,
      severity: error.severity, retry: error.retry, breaker: error.breaker, isRetrySafe: error.isRetrySafe)
    let fields = error.metadata.sorted { $0.key < $1.key }.map { (name: $0.key, text: $0.value) }
    let writer = StatusWriter(
      facts: facts, message: error.message, fields: fields, violations: error.violations, retryAfter: error.retryAfter,
      context: error.context, payloadName: nil, options)
    return WireStatus(writer, options) { _ in }
  }
}

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
  let isRetrySafe: Bool
  let retry: RetryClass
  let breaker: BreakerClass

  init(
    identity: ErrorIdentity, status: StatusCode, httpStatus: Int, categories: [String], severity: Severity,
    retry: RetryClass, breaker: BreakerClass, isRetrySafe: Bool
  ) {
    self.identity = identity
    // An error is never a success, whatever a schema or a program says.
    self.status = status == .ok ? .unknown : status
    self.httpStatus = Self.httpStatus(httpStatus, status)
    self.isRetrySafe = isRetrySafe
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
    detail.detail(DetailName.errorTraits, count: traits.count + idSize + (isRetrySafe ? 2 : 0))
    detail.append(traits.bytes)
    detail.header(6, count: InstanceID.count)
    traitsDetail = detail.bytes
  }

  convenience init(_ declaration: ErrorDeclaration) {
    self.init(
      identity: declaration.identity, status: declaration.status, httpStatus: declaration.httpStatus,
      categories: declaration.categories, severity: declaration.severity, retry: declaration.retry,
      breaker: declaration.breaker, isRetrySafe: declaration.isRetrySafe)
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

extension WireFacts {
  /// What Envoy's outlier detection takes for a failure of the host (5xx after its mapping of gRPC's status).
  private var countsAgainstHost: Bool {
    switch status {
    case .unimplemented, .unavailable, .internalError, .unknown, .dataLoss, .deadlineExceeded: true
    default: false
    }
  }

  /// Whether the error has to be one frame, must not be one, or may be one where it is small; nil for the last.
  func wantsOneFrame(_ framing: WireOptions.Framing) -> Bool? {
    switch framing {
    case .oneFrame: true
    case .split: false
    case .bySchema where retry == .transient || retry == .throttled: true
    case .bySchema where breaker != .failure && countsAgainstHost: false
    case .bySchema: nil
    }
  }
}

extension DetailsDamage {
  /// The type of the detail that takes room and says nothing.
  private static let filler = "taxon.Filler"

  /// Damages an encoded `google.rpc.Status`.
  fileprivate func apply(to details: inout [UInt8]) {
    switch self {
    case .payloadMissing: break
    case .truncated: details.removeLast(details.count / 2)
    case .oversized(let count):
      var bytes = ProtobufBytes()
      bytes.detail(Self.filler, count: count)
      bytes.append([UInt8](repeating: 0, count: count))
      details += bytes.bytes
    }
  }
}

/// Names one occurrence of an error.
enum InstanceID: Hashable, Sendable {
  /// Made here, and written with 16 hexadecimal digits.
  case own(UInt64)
  /// It came with the error.
  case given(String)

  /// Digits of one that is made here.
  static let count = 16

  private static let counter = Atomic<UInt64>(UInt64.random(in: .min ... .max))

  /// The one that came with the error, or a new one. No secret, only unlikely to meet again: a counter that starts at
  /// random, stirred by SplitMix64's finalizer, which never maps two numbers to one.
  init(_ given: String?) {
    if let given {
      self = .given(given)
      return
    }
    var bits = Self.counter.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    self = .own(bits ^ (bits >> 31))
  }

  var text: String {
    switch self {
    case .given(let text): text
    case .own(let bits):
      String(unsafeUninitializedCapacity: Self.count) { buffer in
        if let start = buffer.baseAddress { Self.write(bits, to: start) }
        return Self.count
      }
    }
  }

  /// Writes the digits of one that is made here.
  static func write(_ bits: UInt64, to target: UnsafeMutablePointer<UInt8>) {
    for index in 0..<count {
      let nibble = UInt8(truncatingIfNeeded: bits >> (60 - 4 * UInt64(index))) & 0xF
      target[index] = nibble < 10 ? 0x30 + nibble : 0x61 + nibble - 10
    }
  }
}
