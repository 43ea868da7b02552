// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Writes the `google.rpc.Status` of an error.
struct StatusWriter {
  let form: WireForm
  let id: InstanceID
  var message: String
  var metadata: [String: String]

  init(_ form: WireForm, _ id: InstanceID) {
    self.form = form
    self.id = id
    message = form.message
    metadata = form.metadata
  }

  /// Code and message, and every detail.
  func write() -> ProtobufBytes {
    var bytes = ProtobufBytes(capacity: estimatedCount)
    writeStatus(to: &bytes)
    writeInfo(to: &bytes)
    writePayload(to: &bytes)
    writeTraits(to: &bytes)
    writeRetryInfo(to: &bytes)
    writeBadRequest(to: &bytes)
    for detail in furtherDetails { write(detail, to: &bytes) }
    return bytes
  }

  func writeStatus(to bytes: inout ProtobufBytes) {
    bytes.number(1, form.facts.status.rawValue)
    bytes.string(2, message)
  }

  func writeInfo(to bytes: inout ProtobufBytes) {
    guard let info = form.facts.info else { return }
    var count = info.count
    for (key, value) in metadata { count += ProtobufBytes.size(payload: entrySize(key, value)) }
    bytes.detail(TypeURL.errorInfo, count: count)
    bytes.append(info)
    // One needs no order, and so no array.
    if metadata.count > 1 {
      for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { writeEntry(key, value, to: &bytes) }
    } else {
      for (key, value) in metadata { writeEntry(key, value, to: &bytes) }
    }
  }

  private func writeEntry(_ key: String, _ value: String, to bytes: inout ProtobufBytes) {
    bytes.header(3, count: entrySize(key, value))
    bytes.string(1, key)
    bytes.string(2, value)
  }

  func writePayload(to bytes: inout ProtobufBytes) {
    guard let payload = form.payload else { return }
    bytes.detail(payload.descriptor.name, count: payload.bytes.count)
    bytes.append(payload.bytes)
  }

  func writeTraits(to bytes: inout ProtobufBytes) {
    let causes = form.context.causes
    if causes.isEmpty, case .own(let id) = id {
      bytes.append(form.facts.traitsDetail)
      bytes.append(InstanceID.count) { InstanceID.write(id, to: $0) }
      bytes.number(7, form.facts.isSafe ? Int32(1) : 0)
      return
    }
    let traits = form.facts.traits
    let instanceID = id.text
    var count = traits.count + ProtobufBytes.size(instanceID) + (form.facts.isSafe ? 2 : 0)
    for cause in causes { count += ProtobufBytes.size(payload: entrySize(cause.domain, cause.code)) }
    bytes.detail(TypeURL.errorTraits, count: count)
    bytes.append(traits)
    bytes.string(6, instanceID)
    bytes.number(7, form.facts.isSafe ? Int32(1) : 0)
    for cause in causes {
      bytes.header(8, count: entrySize(cause.domain, cause.code))
      bytes.string(1, cause.domain)
      bytes.string(2, cause.code)
    }
  }

  func writeRetryInfo(to bytes: inout ProtobufBytes) {
    guard let retryAfter = form.retryAfter else { return }
    let (seconds, attoseconds) = max(.zero, retryAfter).components
    let nanoseconds = Int32(attoseconds / 1_000_000_000)
    let count = ProtobufBytes.size(seconds) + ProtobufBytes.size(Int64(nanoseconds))
    bytes.detail(TypeURL.retryInfo, count: ProtobufBytes.size(payload: count))
    bytes.header(1, count: count)
    bytes.number(1, seconds)
    bytes.number(2, nanoseconds)
  }

  func writeBadRequest(to bytes: inout ProtobufBytes) {
    guard !form.violations.isEmpty,
      let encoded = try? Google_Rpc_BadRequest(fieldViolations: form.violations).encoded()
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
    guard !form.context.isFromCall else { return [] }
    let details = form.context.details
    guard !details.isEmpty else { return [] }
    var taken: Set<String> = [TypeURL.errorInfo, TypeURL.errorTraits]
    if let payload = form.payload { taken.insert(payload.descriptor.name) }
    if form.retryAfter != nil { taken.insert(TypeURL.retryInfo) }
    if !form.violations.isEmpty { taken.insert(TypeURL.badRequest) }
    return details.filter { taken.insert(typeName(ofURL: $0.typeURL)).inserted }
  }

  private var estimatedCount: Int {
    256 + message.utf8.count + form.facts.traits.count + (form.payload.map { $0.bytes.count + 64 } ?? 0)
      + 32 * metadata.count
  }

  /// Bytes of a message whose fields 1 and 2 are these strings.
  private func entrySize(_ first: String, _ second: String) -> Int {
    ProtobufBytes.size(first) + ProtobufBytes.size(second)
  }
}
