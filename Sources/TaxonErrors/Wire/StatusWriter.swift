// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Writes the `google.rpc.Status` of an error as it leaves the process: without its internal fields and its cause.
///
/// Not copyable, since the compiler would copy it for each failed call.
struct StatusWriter: ~Copyable {
  /// Writes the detail that is the error itself, without its internal fields.
  typealias Payload = (inout ProtobufBytes) -> Void

  let facts: WireFacts
  let id: InstanceID
  var message: String
  var fields: [(name: String, text: String)]
  var violations: [Google_Rpc_BadRequest.FieldViolation]
  /// What the schema derives beside violations; without what is left out.
  var declared: DerivedDetails
  /// The message in the caller's language.
  var localized: Google_Rpc_LocalizedMessage?
  var requestID: String?
  let retryAfter: Duration?
  private let causes: [ErrorIdentity]
  /// Set for an error that was raised on purpose.
  let injection: InjectedFault?
  /// The type of the error itself; nil for an error without a schema, and when it is left out.
  var payloadName: String?
  /// What the thrower added, as it was given. What came with the outcome of a call of ours concerns that call alone, and what
  /// was added to it since does not.
  var further: [Google_Protobuf_Any]
  /// What was left out, which ErrorTraits name where there is room for that.
  var omitted: [String] = []
  var namesOmitted = true
  private var derived: Derived

  /// Which details are derived. Where the thrower brought one of the type, that one stands for it.
  private struct Derived: OptionSet {
    let rawValue: UInt16
    static let info = Derived(rawValue: 1)
    static let traits = Derived(rawValue: 2)
    static let retryInfo = Derived(rawValue: 4)
    static let badRequest = Derived(rawValue: 8)
    static let payload = Derived(rawValue: 16)
    static let quota = Derived(rawValue: 32)
    static let preconditions = Derived(rawValue: 64)
    static let resources = Derived(rawValue: 128)
    static let requestInfo = Derived(rawValue: 256)
    static let help = Derived(rawValue: 512)
    static let localized = Derived(rawValue: 1024)
    static let all = Derived(rawValue: 2047)

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// What is not derived where the thrower brought this.
    init(insteadOf detail: Google_Protobuf_Any) {
      self =
        switch detail.messageName {
        case DetailName.errorInfo: .info
        case DetailName.errorTraits: .traits
        case DetailName.retryInfo: .retryInfo
        case DetailName.badRequest: .badRequest
        case DetailName.quotaFailure: .quota
        case DetailName.preconditionFailure: .preconditions
        case DetailName.resourceInfo: .resources
        case DetailName.requestInfo: .requestInfo
        case DetailName.help: .help
        case DetailName.localizedMessage: .localized
        default: []
        }
    }
  }

  /// Which details are derived when the thrower brings none.
  private let derivable: Derived

  /// Whether a detail of the thrower's says what stays when all else goes: which error it is, its traits, when to come again.
  static func isEssential(_ detail: Google_Protobuf_Any) -> Bool {
    !Derived(insteadOf: detail).isDisjoint(with: [.info, .traits, .retryInfo])
  }

  /// Leaves out what the thrower added; where it stood for something that is derived, that is sent again.
  ///
  /// - Returns: The name of its type; nil when what is derived says all that it said.
  mutating func removeFurther(at index: Int) -> String? {
    let detail = further.remove(at: index)
    let instead = Derived(insteadOf: detail)
    let isLast = !further.contains { Derived(insteadOf: $0) == instead }
    if isLast { derived.formUnion(instead.intersection(derivable)) }
    let isSame =
      isLast && instead == .badRequest
      && (try? Google_Rpc_BadRequest(decoding: detail.value).fieldViolations) == violations
    return isSame ? nil : detail.messageName
  }

  init(
    facts: WireFacts, message: String, fields: [(name: String, text: String)],
    violations: [Google_Rpc_BadRequest.FieldViolation], declared: DerivedDetails = DerivedDetails(),
    localized: Google_Rpc_LocalizedMessage? = nil, retryAfter: Duration?, context: ErrorContext, payloadName: String?,
    _ options: WireOptions
  ) {
    let further = context.details.isEmpty ? [] : Array(context.ownDetails)
    let injection = context.injection
    // A plain status has traits only to say that it is not real.
    let derivable: Derived = injection == nil && facts.isPlain(options.details) ? [.retryInfo, .badRequest] : .all
    var derived = derivable
    var retryAfter = retryAfter.map(\.wait)
    for detail in further {
      let instead = Derived(insteadOf: detail)
      // The headers say what the detail says; callers read the first.
      if instead == .retryInfo, derived.contains(.retryInfo),
        let delay = try? Google_Rpc_RetryInfo(decoding: detail.value).retryDelay, let hint = Duration(delay).hint
      {
        retryAfter = hint
      }
      derived.subtract(instead)
    }
    self.facts = facts
    id = InstanceID(context.instanceID)
    self.message = message
    let hasPayload = injection?.damage != .payloadMissing
    self.injection = injection
    self.fields = hasPayload ? fields : []
    self.violations = violations
    self.declared = declared
    // One that the thrower's own stands for is sent after all where that has no room.
    self.localized = derivable.contains(.localized) ? localized : nil
    requestID = derivable.contains(.requestInfo) && facts.info != nil ? options.requestID : nil
    self.payloadName = hasPayload && derived.contains(.payload) ? payloadName : nil
    causes = context.sentCauses
    self.further = further
    self.derivable = derivable
    self.derived = derived
    self.retryAfter = retryAfter
  }

  /// The same once more, to be changed.
  init(copying other: borrowing StatusWriter) {
    facts = other.facts
    id = other.id
    message = other.message
    fields = other.fields
    violations = other.violations
    declared = other.declared
    localized = other.localized
    requestID = other.requestID
    retryAfter = other.retryAfter
    causes = other.causes
    injection = other.injection
    payloadName = other.payloadName
    further = other.further
    omitted = other.omitted
    namesOmitted = other.namesOmitted
    derived = other.derived
    derivable = other.derivable
  }

  /// Code and message, and every detail.
  func write(to bytes: inout ProtobufBytes, _ payload: Payload) {
    bytes.number(1, facts.status.rawValue)
    bytes.string(2, message)
    if derived.contains(.info) { writeInfo(to: &bytes) }
    if payloadName != nil { payload(&bytes) }
    if derived.contains(.traits) { writeTraits(to: &bytes) }
    if derived.contains(.retryInfo) { writeRetryInfo(to: &bytes) }
    if derived.contains(.badRequest) { writeBadRequest(to: &bytes) }
    if !declared.isEmpty { writeDeclared(to: &bytes) }
    if derived.contains(.requestInfo), let requestID { bytes.detail(Google_Rpc_RequestInfo(requestID: requestID)) }
    if derived.contains(.help), !declared.help.isEmpty { bytes.detail(Google_Rpc_Help(links: declared.help)) }
    if derived.contains(.localized), let localized { bytes.detail(localized) }
    for detail in further { bytes.detail(detail) }
  }

  /// True: there is nothing to say that code and message do not.
  var isBare: Bool {
    let isPlain = !derived.contains(.traits) && (!derived.contains(.info) || facts.info == nil)
    return isPlain && further.isEmpty && payloadName == nil && retryAfter == nil && violations.isEmpty
      && declared.isEmpty && localized == nil && requestID == nil
  }

  private func writeInfo(to bytes: inout ProtobufBytes) {
    guard let info = facts.info else { return }
    var count = info.count
    for field in fields { count += ProtobufBytes.size(payload: entrySize(field.name, field.text)) }
    bytes.detail(DetailName.errorInfo, count: count)
    bytes.append(info)
    for field in fields { writeEntry(field.name, field.text, to: &bytes) }
  }

  private func writeEntry(_ key: String, _ value: String, to bytes: inout ProtobufBytes) {
    bytes.header(3, count: entrySize(key, value))
    bytes.string(1, key)
    bytes.string(2, value)
  }

  private func writeTraits(to bytes: inout ProtobufBytes) {
    let omitted = namesOmitted ? omitted : []
    if causes.isEmpty, omitted.isEmpty, injection == nil, case .own(let id) = id {
      bytes.append(facts.traitsDetail)
      bytes.append(InstanceID.count) { InstanceID.write(id, to: $0) }
      bytes.number(7, facts.isRetrySafe ? Int32(1) : 0)
      return
    }
    let traits = facts.traits
    let instanceID = id.text
    var count = traits.count + ProtobufBytes.size(instanceID) + (facts.isRetrySafe ? 2 : 0)
    for cause in causes { count += ProtobufBytes.size(payload: entrySize(cause.domain, cause.code)) }
    for name in omitted { count += ProtobufBytes.size(name) }
    if injection != nil { count += 2 }
    bytes.detail(DetailName.errorTraits, count: count)
    bytes.append(traits)
    bytes.string(6, instanceID)
    bytes.number(7, facts.isRetrySafe ? Int32(1) : 0)
    for cause in causes {
      bytes.header(8, count: entrySize(cause.domain, cause.code))
      bytes.string(1, cause.domain)
      bytes.string(2, cause.code)
    }
    for name in omitted { bytes.string(9, name) }
    bytes.number(10, injection == nil ? Int32(0) : 1)
  }

  private func writeRetryInfo(to bytes: inout ProtobufBytes) {
    guard let retryAfter else { return }
    let (seconds, nanoseconds) = retryAfter.boundedComponents
    let count = ProtobufBytes.size(seconds) + ProtobufBytes.size(Int64(nanoseconds))
    bytes.detail(DetailName.retryInfo, count: ProtobufBytes.size(payload: count))
    bytes.header(1, count: count)
    bytes.number(1, seconds)
    bytes.number(2, nanoseconds)
  }

  private func writeBadRequest(to bytes: inout ProtobufBytes) {
    guard !violations.isEmpty,
      let encoded = try? Google_Rpc_BadRequest(fieldViolations: violations).encoded()
    else { return }
    bytes.detail(DetailName.badRequest, count: encoded.count)
    bytes.append(encoded)
  }

  private func writeDeclared(to bytes: inout ProtobufBytes) {
    if derived.contains(.quota), !declared.quota.isEmpty {
      bytes.detail(Google_Rpc_QuotaFailure(violations: declared.quota))
    }
    if derived.contains(.preconditions), !declared.preconditions.isEmpty {
      bytes.detail(Google_Rpc_PreconditionFailure(violations: declared.preconditions))
    }
    guard derived.contains(.resources) else { return }
    for resource in declared.resources { bytes.detail(resource) }
  }

  /// Bytes of a message whose fields 1 and 2 are these strings.
  private func entrySize(_ first: String, _ second: String) -> Int {
    ProtobufBytes.size(first) + ProtobufBytes.size(second)
  }
}
