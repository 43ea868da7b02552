// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

@Suite struct WireBudgetTests {
  /// As HTTP/2 counts a header list, after base64 and percent-encoding.
  private func cost(_ wire: WireStatus) -> Int {
    var headers = [
      ("grpc-status", String(wire.code.rawValue).utf8.count),
      ("grpc-message", GRPCMessage.encode(wire.message).utf8.count),
      ("grpc-status-details-bin", (wire.details.count + 2) / 3 * 4),
    ]
    if let pushback = wire.retryPushback { headers.append(("grpc-retry-pushback-ms", String(pushback).utf8.count)) }
    return headers.reduce(0) { $0 + $1.0.utf8.count + $1.1 + 32 }
  }

  private let rich = ValidationError.InvalidInput(
    field: "priority", description: "Priority must be between 1 and 10", retryAfter: .seconds(1)
  ).with(Google_Rpc_RequestInfo(requestID: "r-1", servingData: String(repeating: "s", count: 200)))
    .with(Google_Rpc_Help(links: [.init(description: "more", url: String(repeating: "h", count: 200))]))

  @Test func dropsNothingWithinTheBudget() {
    #expect(WireStatus(rich).dropped.isEmpty)
  }

  @Test func dropsDetailsFromTheEndOfTheList() throws {
    let full = try Decoded(WireStatus(rich))
    var seen: [[String]] = []
    for budget in stride(from: cost(WireStatus(rich)) + 8, to: 400, by: -20) {
      let wire = WireStatus(rich, budget: budget)
      let names = try Decoded(wire).names
      #expect(names == Array(full.names.prefix(names.count)))
      #expect(Set(names + wire.dropped.filter { $0.contains(".") && !$0.hasPrefix("metadata") }) == Set(full.names))
      #expect(cost(wire) <= budget)
      if seen.last != names { seen.append(names) }
    }
    #expect(seen.first == full.names)
    #expect(seen.last == ["google.rpc.ErrorInfo"])
  }

  @Test(arguments: Array(stride(from: 0, through: 3000, by: 37))) func keepsAnyBudgetThatAStatusCanKeep(budget: Int)
    throws
  {
    let wire = WireStatus(rich, budget: budget)
    #expect(cost(wire) <= max(budget, 220))
    if !wire.details.isEmpty {
      let decoded = try Decoded(wire)
      #expect(decoded.status.code == wire.code.rawValue)
      #expect(decoded.status.message == wire.message)
    }
  }

  @Test func shortensMetadataOnceThereIsNothingElseToDrop() throws {
    let error = CallError.MalformedMessage(type: "t", reason: String(repeating: "r", count: 2000))
    let wire = WireStatus(error, budget: 5200)
    #expect(wire.dropped == ["taxon.ErrorTraits", "taxon.CallError.MalformedMessage", "metadata.reason"])
    #expect(try Decoded(wire).info?.metadata == ["type": "t"])
    #expect(wire.message.hasSuffix("rrr"))
  }

  @Test func shortensTheMessageLast() throws {
    let error = CallError.ProtocolViolation(reason: String(repeating: "ü🐙", count: 5000))
    let wire = WireStatus(error)
    #expect(wire.dropped.suffix(2) == ["metadata.reason", "message"])
    #expect(wire.message.hasPrefix("ü🐙ü"))
    #expect(wire.message.hasSuffix("..."))
    #expect(cost(wire) <= WireStatus.defaultBudget)
    #expect(cost(wire) > WireStatus.defaultBudget - 100)
    #expect(try Decoded(wire).info?.reason == "PROTOCOL_VIOLATION")
  }

  @Test func keepsThousandsOfViolationsWithinTheBudget() throws {
    let violations = (0..<5000).map {
      Google_Rpc_BadRequest.FieldViolation(field: "items[\($0)]", description: "wrong")
    }
    let wire = WireStatus(ValidationError.ValidationErrors(errors: violations))
    #expect(wire.dropped.first == "google.rpc.BadRequest")
    #expect(wire.code == .invalidArgument)
    #expect(try Decoded(wire).info?.reason == "VALIDATION_ERRORS")
  }
}
