// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A failed call as it arrived.
public struct ReceivedStatus: Hashable, Sendable {
  /// From `grpc-status`.
  public var code: StatusCode
  /// From `grpc-message`, percent-decoded.
  public var message: String
  /// From `grpc-status-details-bin`, base64-decoded; nil when there is none.
  public var details: [UInt8]?
  /// From `grpc-retry-pushback-ms`.
  public var pushback: RetryPushback?
  /// From `retry-after`, which servers and proxies send as seconds or as a date (RFC 9110 §10.2.3).
  public var retryAfter: Duration?

  /// A status from its trailers. `.ok` is not a failure and becomes `.unknown`.
  ///
  /// - Parameter now: Seconds since 1970, against which a date in `retryAfter` is read; without, a date says nothing.
  public init(
    code: StatusCode, message: String = "", details: [UInt8]? = nil, pushback: String? = nil, retryAfter: String? = nil,
    now: @autoclosure () -> Int64? = nil
  ) {
    self.code = code == .ok ? .unknown : code
    self.message = message
    self.details = details
    self.pushback = pushback.map { RetryPushback(header: $0) }
    self.retryAfter = retryAfter.flatMap { Self.seconds($0) ?? Self.seconds(untilDate: $0, now()) }
  }
}

extension ReceivedStatus {
  /// Reads digits alone. A number beyond the largest duration becomes the largest duration.
  private static func seconds(_ text: String) -> Duration? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    return Int64(text).map { Duration.seconds($0).bounded } ?? .longest
  }

  private static func seconds(untilDate text: String, _ now: Int64?) -> Duration? {
    guard let now, let date = HTTPDate.seconds(text) else { return nil }
    return .seconds(max(date - now, 0)).bounded
  }
}

/// How it is known that a server did not take a call.
public enum Refusal: Sendable, Hashable {
  /// Proven: the stream never left, or a GOAWAY names a lower last stream. The call may be sent again whatever its
  /// method (gRPC A6, "Transparent Retries").
  case unprocessed
  /// The server reset the stream with REFUSED_STREAM before a head came. HTTP/2 promises that the request was not
  /// processed (RFC 9113 §8.7), but proxies send it for requests that their upstream did process.
  case refusedStream
}

/// The error that a failed call amounts to, and what was wrong with how it arrived.
public struct Received<Failure: ErrorUnion>: Sendable {
  /// The error, as one of those that the method declares where it is one.
  public var error: Failure
  /// What the caller should log. Empty when all was well.
  public var notes: [WireNote]
}

extension ErrorUnion {
  /// The error that a failed call amounts to.
  ///
  /// Identity is (domain, code): one of the union's own errors where it is one, in its type; an error that only the
  /// registry knows, as `other`, from which `as(_:)` gives it in its type; else `other` with what ErrorTraits say, and
  /// for the rest with what the gRPC status means.
  public static func received(
    _ status: ReceivedStatus, registry: ErrorRegistry = .taxonErrors
  ) -> Received<Self> {
    var reading = StatusReading(status)
    if let type = declaredType(reading, registry), let error = reading.typed(type) {
      let union = Self(error) ?? other(RPCError(error))
      return Received(error: union, notes: reading.notes)
    }
    let error = RPCError(reading.facts, context: reading.context)
    return Received(error: other(error), notes: reading.notes)
  }

  private static func declaredType(
    _ reading: StatusReading, _ registry: ErrorRegistry
  ) -> (any DeclaredError.Type)? {
    if let identity = reading.identity {
      let member = members.first { member in
        let declaration = member.declaration
        return declaration.code == identity.code && declaration.domain == identity.domain
      }
      return member ?? registry[identity.domain, identity.code]
    }
    // Without ErrorInfo, the typed error says itself what it is.
    for detail in reading.details {
      let name = detail.messageName
      if let type = members.first(where: { $0.descriptor.name == name }) ?? registry[typeURL: detail.typeURL] {
        return type
      }
    }
    return nil
  }
}

/// Something wrong with how a failure arrived. The error is usable all the same.
public enum WireNote: Hashable, Sendable {
  /// `grpc-status` and the code in the details are not the same; the former counts.
  case statusDisagrees(trailer: StatusCode, details: Int32)
  /// A part of the details is not a message of its type and was left out.
  case undecodable(type: String, reason: String)
  /// The error is known, but its fields did not arrive, so that it could not be given its type.
  case payloadMissing(ErrorIdentity)
}

extension WireNote: CustomStringConvertible {
  /// A line for a log.
  public var description: String {
    switch self {
    case .statusDisagrees(let trailer, let details):
      "grpc-status says \(trailer), the status in grpc-status-details-bin says \(StatusCode(wire: details)); the former counts"
    case .undecodable(let type, let reason): "a detail of type \(type) was left out: \(reason)"
    case .payloadMissing(let identity): "\(identity) arrived without its fields"
    }
  }
}

/// The details of a received status, taken apart.
private struct StatusReading {
  let code: StatusCode
  private(set) var message: String
  private(set) var info: Google_Rpc_ErrorInfo?
  private(set) var traits: ErrorTraits?
  /// What RetryInfo says, else the pushback, else `Retry-After`. A wait of zero is not a hint.
  private(set) var retryAfter: Duration?
  private var hasRetryInfo = false
  /// Everything else, the typed error too.
  private(set) var details: [Google_Protobuf_Any] = []
  /// Everything, as it arrived.
  private var allDetails: [Google_Protobuf_Any] = []
  private(set) var notes: [WireNote] = []
  private let pushback: RetryPushback?

  init(_ received: ReceivedStatus) {
    code = received.code
    message = received.message
    pushback = received.pushback
    retryAfter = received.retryAfter?.hint
    if case .after(let delay) = received.pushback, let hint = delay.hint { retryAfter = hint }
    guard let bytes = received.details, let status = decode(Google_Rpc_Status.self, bytes) else { return }
    if status.code != code.rawValue {
      notes.append(.statusDisagrees(trailer: code, details: status.code))
    }
    if message.isEmpty { message = status.message }
    allDetails = status.details
    for detail in status.details { take(detail) }
  }

  /// The identity from ErrorInfo; nil for a plain gRPC status.
  var identity: ErrorIdentity? {
    guard let info, !info.reason.isEmpty else { return nil }
    return ErrorIdentity(domain: info.domain, code: info.reason)
  }

  /// What one occurrence carries. `isFromCall` is set: whoever receives a status made the call.
  var context: ErrorContext {
    var context = ErrorContext(retryAfter: retryAfter)
    context.isFromCall = true
    context.pushback = pushback
    // A server of Taxon says the same twice, for clients that read one or the other.
    if hasRetryInfo, case .after(let delay) = pushback, let retryAfter {
      context.isPushbackRetryInfo = delay.waitMilliseconds == retryAfter.waitMilliseconds
    }
    if let traits {
      context.instanceID = traits.instanceID.isEmpty ? nil : traits.instanceID
      if !traits.omitted.isEmpty { context.omitted = traits.omitted }
      if traits.injected { context.isInjected = true }
      context.causes = traits.causes.map { ErrorIdentity(domain: $0.domain, code: $0.code) }
    }
    if !details.isEmpty { context.details = ErrorDetails(details) }
    if !allDetails.isEmpty { context.receivedDetails = allDetails }
    return context
  }

  /// What is known of an error without a schema: what the traits say, and for the rest what the status means.
  var facts: RPCError.Facts {
    var facts = RPCError.Facts(
      status: code, message: message, hasRetryHint: retryAfter != nil || pushback == .after(.zero))
    if let identity { facts.identity = identity }
    if let info { facts.metadata = info.metadata }
    guard let traits else { return facts }
    facts.categories = traits.category
    facts.isRetrySafe = traits.safe
    if (400...599).contains(traits.httpStatus) { facts.httpStatus = Int(traits.httpStatus) }
    switch traits.severity {
    case .unspecified, .unrecognized: break
    default: facts.severity = traits.severity
    }
    switch traits.retry {
    case .unspecified, .unrecognized: break
    default: facts.retry = traits.retry
    }
    switch traits.breaker {
    case .unspecified, .unrecognized: break
    default: facts.breaker = traits.breaker
    }
    return facts
  }

  private mutating func take(_ detail: Google_Protobuf_Any) {
    switch detail.messageName {
    case DetailName.errorInfo where info == nil:
      info = decode(Google_Rpc_ErrorInfo.self, detail.value)
    case DetailName.errorTraits where traits == nil:
      traits = decode(ErrorTraits.self, detail.value)
    case DetailName.retryInfo where !hasRetryInfo:
      guard let delay = decode(Google_Rpc_RetryInfo.self, detail.value)?.retryDelay, let hint = Duration(delay).hint
      else { break }
      retryAfter = hint
      hasRetryInfo = true
    default:
      details.append(detail)
    }
  }

  private mutating func decode<Value: Message>(_ type: Value.Type, _ bytes: [UInt8]) -> Value? {
    do {
      return try Value(decoding: bytes)
    } catch {
      notes.append(.undecodable(type: type.descriptor.name, reason: error.description))
      return nil
    }
  }

  /// The error in its type, from the payload, or from the metadata where the payload was left out; nil, with a note, when
  /// neither has its fields.
  mutating func typed<Declared: DeclaredError>(_ type: Declared.Type) -> Declared? {
    let name = type.descriptor.name
    var error: Declared?
    if let index = details.firstIndex(where: { $0.messageName == name }) {
      error = decode(type, details.remove(at: index).value)
    }
    if error == nil {
      error = MetadataFields(info?.metadata ?? [:]).make(type)
    }
    guard var error else {
      notes.append(.payloadMissing(type.declaration.identity))
      return nil
    }
    error.context = context
    return error
  }
}

/// Makes an error from the metadata of its ErrorInfo: for peers that send no typed error, and for those whose budget did
/// not let it pass. Texts, whole numbers and truth values come back; what else a field may be does not.
private struct MetadataFields {
  private let metadata: [String: String]

  init(_ metadata: [String: String]) {
    self.metadata = metadata
  }

  /// The error with those of its fields that are there; nil when it has fields and none of them is.
  func make<Declared: DeclaredError>(_ type: Declared.Type) -> Declared? {
    let fields = type.descriptor.fields
    var bytes = ProtobufBytes()
    var isFound = fields.isEmpty
    for field in fields where field.type.label == .implicit || field.type.label == .optional {
      guard let text = metadata[field.name], field.number <= ProtobufBytes.greatestField else { continue }
      if write(text, field, to: &bytes) { isFound = true }
    }
    return isFound ? try? Declared(decoding: bytes.bytes) : nil
  }

  private func write(_ text: String, _ field: Field, to bytes: inout ProtobufBytes) -> Bool {
    let number = UInt8(field.number)
    let value: UInt64?
    switch field.type.kind {
    case .string:
      bytes.header(number, count: text.utf8.count)
      bytes.raw(text)
      return true
    case .int32: value = Int32(text).map { UInt64(bitPattern: Int64($0)) }
    case .int64: value = Int64(text).map { UInt64(bitPattern: $0) }
    case .uint32: value = UInt32(text).map { UInt64($0) }
    case .uint64: value = UInt64(text)
    case .bool: value = text == "true" ? 1 : text == "false" ? 0 : nil
    default: value = nil
    }
    guard let value else { return false }
    bytes.varint(number, value)
    return true
  }
}

/// Dates as HTTP has them (RFC 9110 §5.6.7).
enum HTTPDate {
  /// Seconds since 1970 of an IMF-fixdate, such as "Sun, 06 Nov 1994 08:49:37 GMT"; nil for anything else. The two obsolete
  /// forms, which senders must not use, are not read.
  static func seconds(_ text: String) -> Int64? {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard text.utf8.count == 29, parts.count == 6, parts[0].utf8.count == 4, parts[0].last == ",", parts[5] == "GMT",
      let day = number(parts[1], 2, 1...31),
      let month = months.firstIndex(of: String(parts[2])),
      let year = number(parts[3], 4, 1970...9999)
    else { return nil }
    let time = parts[4].split(separator: ":", omittingEmptySubsequences: false)
    // 60 is a leap second.
    guard time.count == 3, let hour = number(time[0], 2, 0...23), let minute = number(time[1], 2, 0...59),
      let second = number(time[2], 2, 0...60), let first = CivilDate(year: Int(year), month: month + 1, day: 1)
    else { return nil }
    return (Int64(first.daysSinceEpoch) + day - 1) * 86_400 + hour * 3600 + minute * 60 + second
  }

  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func number(_ text: Substring, _ digits: Int, _ range: ClosedRange<Int64>) -> Int64? {
    guard text.utf8.count == digits, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let number = Int64(text), range.contains(number)
    else { return nil }
    return number
  }
}
