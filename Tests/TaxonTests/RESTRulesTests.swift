// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// Rules of REST that cannot be served are found when a server starts.
@Suite struct RESTRulesTests {
  private struct Service: RPCService {
    static let serviceName = "test.Rest"
    typealias Text = Google_Protobuf_StringValue
    let rules: [HTTPRule]

    func register(in registry: inout ServiceRegistry) {
      for (index, rule) in rules.enumerated() {
        let method = MethodDescriptor<Text, Text, RPCError>(
          service: Self.serviceName, method: "M\(index)", http: [rule])
        registry.add(method) { request, _ async throws in request }
      }
    }
  }

  private func mistake(in rules: [HTTPRule]) async throws -> SetupError.InvalidSetting? {
    let server = watched(Server(.init(port: 0), services: [Service(rules: rules)], logger: quiet))
    do throws(SetupError) {
      try await server.start()
      await server.shutDown()
      return nil
    } catch .invalidSetting(let error) {
      return error
    }
  }

  @Test(
    .leavesNothing,
    arguments: [
      (
        [HTTPRule("GET", "/v1/{value")], "GET /v1/{value of /test.Rest/M0",
        "at byte 4: the variable is never closed; close it with }"
      ),
      (
        [HTTPRule("GET", "/v1/{value}"), HTTPRule("GET", "/v1/*")], "GET /v1/* of /test.Rest/M1",
        "it matches the same requests as /test.Rest/M0 does"
      ),
      (
        [HTTPRule("GET", "/v1/{value}/b"), HTTPRule("GET", "/v1/a/{value}")], "GET /v1/a/{value} of /test.Rest/M1",
        "/v1/a/b fits GET /v1/{value}/b of /test.Rest/M0 too, and neither is more specific"
      ),
    ])
  func rulesThatCannotBeServedAreSetupErrors(_ rules: [HTTPRule], _ value: String, _ reason: String) async throws {
    let error = try await mistake(in: rules)
    #expect(error?.name == "services")
    #expect(error?.value == value)
    #expect(error?.reason == reason)
  }

  @Test(.leavesNothing) func rulesBesideEachOtherAreServed() async throws {
    #expect(try await mistake(in: [HTTPRule("GET", "/v1/{value}"), HTTPRule("GET", "/v1/a")]) == nil)
  }
}
