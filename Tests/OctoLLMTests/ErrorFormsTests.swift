// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import Testing

/// Each error of OctoLLM as the bodies of HTTP's roads say it, read back.
@Suite struct ErrorFormsTests {
  private static let registry = ErrorRegistry.octollmV1Errors + .octollmV1Reflex
  /// What the samples have in fields that are not safe.
  private static let unsafe = [
    "ada", "ada@example.com", "database is locked", "connection refused", "no route to host", "segment 3", "byte 3",
    "index out of range",
  ]

  private func object(_ json: [UInt8]) throws -> [String: Google_Protobuf_Value] {
    try #require(try Google_Protobuf_Value(json: json).object)
  }

  @Test(arguments: SampleErrors.all.indices) func connectBringsItBackTyped(_ index: Int) throws {
    let sample = SampleErrors.all[index]
    let body = ConnectBody(sample)
    let json = try object(body.json)
    let code = try #require(json["code"]?.string.flatMap { StatusCode(connectName: $0) })
    #expect(code == sample.status && body.httpStatus == sample.status.httpStatus)
    let details = try #require(json["details"]?.list).map { detail in
      let value = Array(try #require(detail["value"]?.string).utf8)
      return Google_Protobuf_Any(
        typeURL: "type.googleapis.com/" + (try #require(detail["type"]?.string)),
        value: try #require(value.withUnsafeBufferPointer { Base64.decode($0) }))
    }
    let message = json["message"]?.string ?? ""
    let status = Google_Rpc_Status(code: code.rawValue, message: message, details: details)
    let received = RPCError.received(
      ReceivedStatus(code: code, message: message, details: try status.encoded()), registry: Self.registry)
    #expect(received.notes.isEmpty)
    #expect(received.error.identity == sample.identity && received.error.message == sample.message)
    #expect(received.error.httpStatus == sample.httpStatus && received.error.retryAfter == sample.retryAfter)
    #expect(isPublicPayload(of: sample, received.error))
    #expect(received.error.instanceID == body.status.instanceID)
  }

  private func isPublicPayload(of sample: any DeclaredError, _ error: RPCError) -> Bool {
    func isEqual<Declared: DeclaredError>(_ sample: Declared) -> Bool {
      error.as(Declared.self) == sample.publicPayload
    }
    return isEqual(sample)
  }

  @Test(arguments: SampleErrors.all.indices) func debugIsThePayloadWithoutWhatIsNotSafe(_ index: Int) throws {
    let sample = SampleErrors.all[index]
    let body = ConnectBody(sample)
    let details = try #require(try object(body.json)["details"]?.list)
    let payload = details.first { $0["type"]?.string == sample.descriptorName }
    let debug = try #require(payload?["debug"])
    #expect(try debug == Google_Protobuf_Value(json: sample.safeJSON))
    for detail in details {
      let text = try detail["debug"]?.jsonString() ?? ""
      for secret in Self.unsafe { #expect(!text.contains("\"\(secret)"), "\(text)") }
    }
  }

  @Test(arguments: SampleErrors.all.indices, [ErrorBody.Form.standard, .problem])
  func theBodyOfTheStandardHasItsIdentityAndSafeFields(_ index: Int, _ form: ErrorBody.Form) throws {
    let sample = SampleErrors.all[index]
    let body = ErrorBody(sample, as: form)
    let json = try object(body.json)
    #expect(body.httpStatus == sample.httpStatus)
    #expect(json["retry_after"]?.number == sample.retryAfter.map { Double($0.components.seconds) })
    switch form {
    case .standard:
      #expect(json["error"]?.string == sample.code && json["message"]?.string == sample.message)
    case .problem:
      #expect(json["type"]?.string == "tag:\(sample.domain),2026:\(sample.code)")
      #expect(json["code"]?.string == sample.code && json["domain"]?.string == sample.domain)
      #expect(json["detail"]?.string == sample.message && json["status"]?.number == Double(sample.httpStatus))
    }
    let details = try #require(json["details"]?.object)
    for (name, text) in sample.metadata {
      let value = try #require(details[name], "\(name) is not there")
      let elements = value.list ?? [value]
      #expect(elements.map { $0.string ?? $0.number.map { ErrorText($0) } ?? "" }.joined(separator: ", ") == text)
    }
    #expect(Set(details.keys).isSubset(of: Set(sample.metadata.keys).union(["errors"])))
    if let errors = details["errors"]?.list {
      #expect(errors.map { $0["field"]?.string } == sample.violations.map(\.field))
      #expect(errors.map { $0["message"]?.string } == sample.violations.map(\.description))
    }
    let text = String(decoding: body.json, as: UTF8.self)
    for secret in Self.unsafe { #expect(!text.contains("\"\(secret)"), "\(text)") }
  }
}

extension DeclaredError {
  fileprivate var descriptorName: String { Self.descriptor.name }
  fileprivate var safeJSON: [UInt8] { get throws { try safePayload.jsonBytes() } }
}
