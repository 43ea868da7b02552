// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The details of a received status, taken apart.
struct StatusReading {
  let code: StatusCode
  private(set) var message: String
  private(set) var info: Google_Rpc_ErrorInfo?
  private(set) var traits: ErrorTraits?
  /// What RetryInfo says, else the pushback, else `Retry-After`. A wait of zero is no hint.
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

  /// Who says it is what; nil for a plain gRPC status.
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
    switch typeName(ofURL: detail.typeURL) {
    case TypeURL.errorInfo where info == nil:
      info = decode(Google_Rpc_ErrorInfo.self, detail.value)
    case TypeURL.errorTraits where traits == nil:
      traits = decode(ErrorTraits.self, detail.value)
    case TypeURL.retryInfo where !hasRetryInfo:
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
    if let index = details.firstIndex(where: { typeName(ofURL: $0.typeURL) == name }) {
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
struct MetadataFields {
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
