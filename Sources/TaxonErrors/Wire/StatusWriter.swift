// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Writes the `google.rpc.Status` of an error as it leaves the process: without its internal fields and its cause.
struct StatusWriter {
  /// Writes the detail that is the error itself, without its internal fields.
  typealias Payload = (inout ProtobufBytes) -> Void

  let facts: WireFacts
  let id: InstanceID
  var message: String
  var fields: [(name: String, text: String)]
  let violations: [Google_Rpc_BadRequest.FieldViolation]
  let retryAfter: Duration?
  let context: ErrorContext
  /// The type of the error itself; nil for an error without a schema.
  let payloadName: String?

  init(
    facts: WireFacts, message: String, fields: [(name: String, text: String)],
    violations: [Google_Rpc_BadRequest.FieldViolation], retryAfter: Duration?, context: ErrorContext,
    payloadName: String?
  ) {
    self.facts = facts
    id = InstanceID(context.instanceID)
    self.message = message
    self.fields = fields
    self.violations = violations
    self.retryAfter = retryAfter.map { max(.zero, $0.bounded) }
    self.context = context
    self.payloadName = payloadName
  }

  /// Code and message, and every detail.
  func write(to bytes: inout ProtobufBytes, _ payload: Payload) {
    writeStatus(to: &bytes)
    writeInfo(to: &bytes)
    payload(&bytes)
    writeTraits(to: &bytes)
    writeRetryInfo(to: &bytes)
    writeBadRequest(to: &bytes)
    for detail in furtherDetails { write(detail, to: &bytes) }
  }

  func writeStatus(to bytes: inout ProtobufBytes) {
    bytes.number(1, facts.status.rawValue)
    bytes.string(2, message)
  }

  func writeInfo(to bytes: inout ProtobufBytes) {
    guard let info = facts.info else { return }
    var count = info.count
    for field in fields { count += ProtobufBytes.size(payload: entrySize(field.name, field.text)) }
    bytes.detail(TypeURL.errorInfo, count: count)
    bytes.append(info)
    for field in fields { writeEntry(field.name, field.text, to: &bytes) }
  }

  private func writeEntry(_ key: String, _ value: String, to bytes: inout ProtobufBytes) {
    bytes.header(3, count: entrySize(key, value))
    bytes.string(1, key)
    bytes.string(2, value)
  }

  func writeTraits(to bytes: inout ProtobufBytes) {
    let causes = context.causes
    if causes.isEmpty, case .own(let id) = id {
      bytes.append(facts.traitsDetail)
      bytes.append(InstanceID.count) { InstanceID.write(id, to: $0) }
      bytes.number(7, facts.isSafe ? Int32(1) : 0)
      return
    }
    let traits = facts.traits
    let instanceID = id.text
    var count = traits.count + ProtobufBytes.size(instanceID) + (facts.isSafe ? 2 : 0)
    for cause in causes { count += ProtobufBytes.size(payload: entrySize(cause.domain, cause.code)) }
    bytes.detail(TypeURL.errorTraits, count: count)
    bytes.append(traits)
    bytes.string(6, instanceID)
    bytes.number(7, facts.isSafe ? Int32(1) : 0)
    for cause in causes {
      bytes.header(8, count: entrySize(cause.domain, cause.code))
      bytes.string(1, cause.domain)
      bytes.string(2, cause.code)
    }
  }

  func writeRetryInfo(to bytes: inout ProtobufBytes) {
    guard let retryAfter else { return }
    let (seconds, nanoseconds) = retryAfter.boundedComponents
    let count = ProtobufBytes.size(seconds) + ProtobufBytes.size(Int64(nanoseconds))
    bytes.detail(TypeURL.retryInfo, count: ProtobufBytes.size(payload: count))
    bytes.header(1, count: count)
    bytes.number(1, seconds)
    bytes.number(2, nanoseconds)
  }

  func writeBadRequest(to bytes: inout ProtobufBytes) {
    guard !violations.isEmpty,
      let encoded = try? Google_Rpc_BadRequest(fieldViolations: violations).encoded()
    else { return }
    bytes.detail(TypeURL.badRequest, count: encoded.count)
    bytes.append(encoded)
  }

  func write(_ detail: Google_Protobuf_Any, to bytes: inout ProtobufBytes) {
    bytes.detail(typeName(ofURL: detail.typeURL), count: detail.value.count)
    bytes.append(detail.value)
  }

  /// What the thrower added. Of a type that is there already, what the error itself says counts; and what came with the
  /// outcome of a call of ours concerns that call alone.
  var furtherDetails: [Google_Protobuf_Any] {
    guard !context.isFromCall else { return [] }
    let details = context.details
    guard !details.isEmpty else { return [] }
    var taken: Set<String> = [TypeURL.errorInfo, TypeURL.errorTraits]
    if let payloadName { taken.insert(payloadName) }
    if retryAfter != nil { taken.insert(TypeURL.retryInfo) }
    if !violations.isEmpty { taken.insert(TypeURL.badRequest) }
    return details.filter { taken.insert(typeName(ofURL: $0.typeURL)).inserted }
  }

  /// Bytes of a message whose fields 1 and 2 are these strings.
  private func entrySize(_ first: String, _ second: String) -> Int {
    ProtobufBytes.size(first) + ProtobufBytes.size(second)
  }
}
