// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// How metadata is written down.
@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct MetadataTests {
  @Test func aLiteralTakesStringsHoweverTheyComeAbout() {
    let token = "t0ken"
    let tenant = "acme/eu"
    let bytes: [UInt8] = [1, 2]
    let metadata: Metadata = [
      "authorization": "Bearer \(token)", "x-plain": "plain", "x-tenant": token, "x-part": tenant.prefix(4),
      "trace-bin": bytes, "trace-bin": [3], "X-Upper": tenant.uppercased(),
    ]
    #expect(metadata["authorization"] == "Bearer t0ken")
    #expect(metadata["x-plain"] == "plain" && metadata["x-tenant"] == "t0ken" && metadata["x-part"] == "acme")
    #expect(metadata.bytes("trace-bin") == [[1, 2], [3]])
    #expect(metadata["x-upper"] == "ACME/EU")
  }

  @Test func entriesGoIntoALiteralAsTheyAre() {
    let first: Metadata = ["x-name": "Ada", "id-bin": [7]]
    let copy: Metadata = ["x-other": first.entries[0].value, "other-bin": first.entries[1].value]
    #expect(copy == ["x-other": "Ada", "other-bin": [7]])
  }

  @Test func whatMayNotTravelIsLeftOutOfALiteral() {
    let line = "two\nlines"
    #expect(Metadata(dictionaryLiteral: ("x-line", line), ("grpc-x", "1"), ("x-bin", "text"), ("x-text", [1])).isEmpty)
  }

  @Test func aCallCarriesTheTokenOfAVariable() async throws {
    try await withServer { _, context in
      context.metadata["authorization"] ?? "none"
    } test: { target, _ in
      let channel = try watched(Channel(target, logger: quiet))
      let token = "t0ken"
      let options = CallOptions(metadata: ["authorization": "Bearer \(token)"])
      #expect(try await channel.text("", options: options) == "Bearer t0ken")
      channel.shutDown()
    }
  }
}
