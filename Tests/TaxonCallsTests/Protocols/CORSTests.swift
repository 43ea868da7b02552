// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import TaxonProtobuf
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

@Suite struct CORSTests {
  private let settings = CORSSettings(origins: ["https://app.example.com"])

  private func fields(_ settings: CORSSettings, _ origin: String?) -> [String: String] {
    var values: [String: String] = [:]
    for entry in settings.fields(origin: origin).entries {
      if case .text(let text) = entry.value { values[entry.name] = text }
    }
    return values
  }

  @Test func anOriginThatMayCallIsNamed() {
    let fields = fields(settings, "https://app.example.com")
    #expect(fields["access-control-allow-origin"] == "https://app.example.com")
    #expect(fields["access-control-expose-headers"]?.contains("grpc-status-details-bin") == true)
    #expect(fields["vary"] == "origin")
    #expect(fields["access-control-allow-credentials"] == nil)
  }

  @Test(arguments: [
    "https://app.example.com.evil.test", "http://app.example.com", "null", "https://APP.example.com", nil,
  ])
  func anotherOriginIsNot(_ origin: String?) {
    #expect(fields(settings, origin) == ["vary": "origin"])
  }

  @Test func anyOriginIsAStar() {
    #expect(fields(CORSSettings(origins: nil), "https://a.test")["access-control-allow-origin"] == "*")
  }

  @Test(arguments: [
    ("https://app.example.com/", "cors.origins"), ("app.example.com", "cors.origins"), ("HTTPS://a", "cors.origins"),
    ("https://", "cors.origins"), ("https://a b", "cors.origins"),
  ]) func whatIsNoOriginIsAFault(_ origin: String, _ name: String) {
    #expect(CORSSettings(origins: [origin]).fault?.name == name)
  }

  @Test func credentialsAreForNamedOriginsAlone() {
    var settings = CORSSettings(origins: nil)
    settings.allowsCredentials = true
    #expect(settings.fault?.name == "cors.allowsCredentials")
    settings.origins = ["http://localhost:8080"]
    #expect(settings.fault == nil)
  }

  @Test func aPreflightNamesTheHeadersThatAreAskedForAndAllowed() {
    var settings = settings
    settings.allowedHeaders = ["X-Tenant"]
    let block = settings.preflight(
      origin: "https://app.example.com", headers: "x-tenant, content-type,x-other , authorization")
    let text = block.fields.map {
      String(decoding: UnsafeBufferPointer(start: $0.value, count: $0.valuelen), as: UTF8.self)
    }
    #expect(text.contains("x-tenant, content-type"))
    #expect(text.contains("204") && text.contains("7200"))
  }
}

@Suite struct RequestTargetTests {
  @Test(arguments: [
    ("/a?b=c&d=e%20f", [["b", "c"], ["d", "e f"]]), ("/a?b=1+2&b=%2B", [["b", "1 2"], ["b", "+"]]), ("/a?", []),
    ("/a", []), ("/a?b", [["b", ""]]), ("/a?b=c=d", [["b", "c=d"]]), ("/a?%zz=%4", [["%zz", "%4"]]),
    ("/a?b=%FF", [["b", "\u{FFFD}"]]),
  ]) func aQueryIsTakenApart(_ target: String, _ items: [[String]]) {
    let parsed = RequestTarget(target)
    #expect(parsed.path == "/a")
    #expect(parsed.items.map { [$0.name, $0.value] } == items)
  }

  @Test(
    arguments: [
      ("/a?b=%FF%00+", [0xFF, 0, 0x20]), ("/a?c=1&%62=%c3&b=2", [0xC3]), ("/a?b", []), ("/a?c=1", nil), ("/a", nil),
    ] as [(String, [UInt8]?)]) func aValueMayBeBytes(_ target: String, _ bytes: [UInt8]?)
  {
    #expect(RequestTarget(target).bytes("b") == bytes)
  }
}
