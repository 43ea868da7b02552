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
  private(set) var message: String
  private var fields: [(name: String, text: String)]
  private var violations: [Google_Rpc_BadRequest.FieldViolation]
  let retryAfter: Duration?
  private let causes: [ErrorIdentity]
  /// The type of the error itself; nil for an error without a schema, and when it is left out.
  private var payloadName: String?
  /// What the thrower added, as it was given. What came with the outcome of a call of ours concerns that call alone, and what
  /// was added to it since does not.
  private var further: [Google_Protobuf_Any]
  /// What was left out, which ErrorTraits name where there is room for that.
  private var omitted: [String] = []
  private var namesOmitted = true
  private var derived: Derived

  /// Which details are derived. Where the thrower brought one of the type, that one stands for it.
  private struct Derived: OptionSet {
    let rawValue: UInt8
    static let info = Derived(rawValue: 1)
    static let traits = Derived(rawValue: 2)
    static let retryInfo = Derived(rawValue: 4)
    static let badRequest = Derived(rawValue: 8)
    static let payload = Derived(rawValue: 16)
    static let all: Derived = [.info, .traits, .retryInfo, .badRequest, .payload]

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What is not derived where the thrower brought this.
    init(insteadOf detail: Google_Protobuf_Any) {
      self =
        switch detail.messageName {
        case DetailName.errorInfo: .info
        case DetailName.errorTraits: .traits
        case DetailName.retryInfo: .retryInfo
        case DetailName.badRequest: .badRequest
        default: []
        }
    }
  }

  /// Which details are derived when the thrower brings none.
  private let derivable: Derived

  /// Whether a detail of the thrower's says what stays when all else goes: which error it is, its traits, when to come again.
  private static func isEssential(_ detail: Google_Protobuf_Any) -> Bool {
    !Derived(insteadOf: detail).isDisjoint(with: [.info, .traits, .retryInfo])
  }

  /// Leaves out what the thrower added; where it stood for something that is derived, that is sent again.
  ///
  /// - Returns: The name of its type; nil when what is derived says all that it said.
  private mutating func removeFurther(at index: Int) -> String? {
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
    violations: [Google_Rpc_BadRequest.FieldViolation], retryAfter: Duration?, context: ErrorContext,
    payloadName: String?, details: WireOptions.Details
  ) {
    let received = context.isFromCall ? context.receivedDetails : []
    let further = context.details.isEmpty ? [] : context.details.filter { !received.contains($0) }
    let derivable: Derived = facts.isPlain(details) ? [.retryInfo, .badRequest] : .all
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
    self.fields = fields
    self.violations = violations
    self.payloadName = derived.contains(.payload) ? payloadName : nil
    causes = context.causes
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
    retryAfter = other.retryAfter
    causes = other.causes
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
    for detail in further { bytes.detail(detail) }
  }

  /// True: there is nothing to say that code and message do not.
  var isBare: Bool {
    let isPlain = !derived.contains(.traits) && (!derived.contains(.info) || facts.info == nil)
    return isPlain && further.isEmpty && payloadName == nil && retryAfter == nil && violations.isEmpty
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
    if causes.isEmpty, omitted.isEmpty, case .own(let id) = id {
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

  /// Bytes of a message whose fields 1 and 2 are these strings.
  private func entrySize(_ first: String, _ second: String) -> Int {
    ProtobufBytes.size(first) + ProtobufBytes.size(second)
  }
}

extension StatusWriter {
  /// What is left of a status that was over its limit.
  struct Fitted {
    var message: String
    var details: [UInt8]
    var omitted: [String]
  }

  /// A message longer than this is cut before any of the error's own details goes: it is sent twice.
  private static let longMessage = 1024
  /// A text of ErrorInfo longer than this goes before the error itself does, which has it, too.
  private static let longText = 256

  /// Leaves out what it takes, in this order: what the thrower added, largest first; the end of a long message; ErrorInfo's
  /// copies of long fields; the error itself, whose safe fields are in ErrorInfo; violations from the end; ErrorInfo's
  /// fields, largest first; the thrower's own ErrorInfo, ErrorTraits and RetryInfo, for which the derived ones are sent; the
  /// names of what was left out; the message. Reason, domain, ErrorTraits and RetryInfo stay, unless not even they have room.
  func fit(_ limit: Int, _ cost: TrailerCost, _ payload: Payload) -> Fitted {
    var bytes = ProtobufBytes()
    payload(&bytes)
    var fitting = Fitting(writer: StatusWriter(copying: self), limit: limit, cost: cost, payload: bytes.bytes)
    return fitting.result()
  }

  /// One error being made to fit.
  private struct Fitting: ~Copyable {
    var writer: StatusWriter
    let limit: Int
    let cost: TrailerCost
    let payload: [UInt8]

    private func encoded(_ writer: borrowing StatusWriter) -> ProtobufBytes {
      var bytes = ProtobufBytes()
      writer.write(to: &bytes) { $0.append(payload) }
      return bytes
    }

    /// Bytes, before base64, that are too many.
    private func excess(_ writer: borrowing StatusWriter) -> Int {
      let size = cost.bytes(message: writer.message, details: encoded(writer).count)
      return max(0, (size - limit) * 3 / 4 + (size > limit ? 1 : 0))
    }

    private var isOver: Bool { excess(writer) > 0 }

    mutating func result() -> Fitted {
      leaveOutFurther { !StatusWriter.isEssential($0) }
      if isOver, writer.message.utf8.count > StatusWriter.longMessage {
        cutMessage(to: StatusWriter.longMessage)
      }
      leaveOutPayload()
      leaveOutViolations()
      leaveOutFields { _ in true }
      leaveOutFurther { _ in true }
      leaveOutFields { _ in true }
      if isOver { writer.namesOmitted = false }
      if isOver { cutMessage() }
      guard isOver else { return fitted(encoded(writer).bytes) }
      // Not even what has to stay fits: only the code is sent.
      writer.omit("google.rpc.Status")
      let (cost, limit) = (cost, limit)
      writer.message = StatusWriter.beginning(of: writer.message) { cost.bytes(message: $0, details: 0) <= limit }
      return fitted([])
    }

    private func fitted(_ details: [UInt8]) -> Fitted {
      Fitted(message: writer.message, details: details, omitted: writer.omitted)
    }

    private mutating func leaveOutFurther(_ mayGo: (Google_Protobuf_Any) -> Bool) {
      while case let excess = excess(writer), excess > 0 {
        let bySize = writer.further.indices.filter { mayGo(writer.further[$0]) }.sorted {
          (writer.further[$0].value.count, $1) > (writer.further[$1].value.count, $0)
        }
        guard !bySize.isEmpty else { return }
        var left = excess
        var gone: [Int] = []
        for index in bySize {
          gone.append(index)
          left -= writer.further[index].value.count
          if left <= 0 { break }
        }
        for index in gone.sorted(by: >) {
          if let name = writer.removeFurther(at: index) { writer.omit(name) }
        }
      }
    }

    private mutating func leaveOutPayload() {
      guard isOver, let name = writer.payloadName else { return }
      let whole = StatusWriter(copying: writer)
      leaveOutFields { $0 > StatusWriter.longText }
      guard isOver else { return }
      // That was not enough: the fields stay, and the error itself goes.
      writer = whole
      writer.payloadName = nil
      writer.omit(name)
    }

    private mutating func leaveOutFields(_ mayGo: (_ size: Int) -> Bool) {
      while case let excess = excess(writer), excess > 0 {
        let bySize = writer.fields.filter { mayGo($0.text.utf8.count) }
          .sorted { ($0.text.utf8.count, $0.name) > ($1.text.utf8.count, $1.name) }
        guard !bySize.isEmpty else { return }
        var left = excess
        for field in bySize {
          writer.fields.removeAll { $0.name == field.name }
          writer.omit("metadata.\(field.name)")
          left -= field.name.utf8.count + field.text.utf8.count
          if left <= 0 { break }
        }
      }
    }

    /// The most violations that fit, and behind them an entry that says how many there were on top.
    private mutating func leaveOutViolations() {
      guard isOver, !writer.violations.isEmpty else { return }
      let all = writer.violations
      let omitted = writer.omitted
      func leave(_ count: Int) {
        writer.omitted = omitted
        writer.omit(DetailName.badRequest + ".field_violations")
        writer.violations =
          count == 0 ? [] : all[..<count] + [.init(field: "", description: "\(all.count - count) more violations")]
      }
      var (low, high) = (0, all.count - 1)
      while low < high {
        let middle = (low + high + 1) / 2
        leave(middle)
        if isOver { high = middle - 1 } else { low = middle }
      }
      leave(low)
    }

    /// Cuts the message to `count` bytes.
    private mutating func cutMessage(to count: Int) {
      writer.omit("message")
      writer.message = StatusWriter.beginning(of: writer.message) { $0.utf8.count <= count }
    }

    /// Cuts the message to what fits.
    private mutating func cutMessage() {
      writer.omit("message")
      let whole = writer.message
      writer.message = StatusWriter.beginning(of: whole) { message in
        writer.message = message
        return !isOver
      }
    }
  }

  /// The longest beginning of a text, with an ellipsis, that is fine; empty where none is.
  static func beginning(of text: String, _ isFine: (String) -> Bool) -> String {
    let scalars = Array(text.unicodeScalars)
    func beginning(_ count: Int) -> String {
      guard count > 0 else { return "" }
      var text = String()
      text.unicodeScalars.append(contentsOf: scalars[..<count])
      return text + "..."
    }
    var (low, high) = (0, scalars.count)
    while low < high {
      let middle = (low + high + 1) / 2
      if isFine(beginning(middle)) { low = middle } else { high = middle - 1 }
    }
    return beginning(low)
  }

  /// Notes, once, what is left out.
  private mutating func omit(_ name: String) {
    if !omitted.contains(name) { omitted.append(name) }
  }
}
