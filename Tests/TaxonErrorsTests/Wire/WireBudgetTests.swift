// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

@Suite struct WireBudgetTests {
  /// As the strictest caller counts a header list, with what proxies add.
  private func cost(_ wire: WireStatus, reserved: Int = 0) -> Int {
    var headers = [
      (":status", 3), ("content-type", "application/grpc".utf8.count),
      ("grpc-status", String(wire.code.rawValue).utf8.count),
      ("grpc-message", GRPCMessage.encode(wire.message).utf8.count),
      ("grpc-status-details-bin", (wire.details.count * 4 + 2) / 3),
    ]
    if let pushback = wire.retryPushback { headers.append(("grpc-retry-pushback-ms", String(pushback).utf8.count)) }
    if let retryAfter = wire.retryAfter { headers.append(("retry-after", String(retryAfter).utf8.count)) }
    return headers.reduce(180 + reserved) { $0 + $1.0.utf8.count + $1.1 + 32 }
  }

  private let rich = ValidationError.InvalidInput(
    field: "priority", description: "Priority must be between 1 and 10", retryAfter: .seconds(1)
  ).with(Google_Rpc_RequestInfo(requestID: "r-1", servingData: String(repeating: "s", count: 200)))
    .with(Google_Rpc_Help(links: [.init(description: "more", url: String(repeating: "h", count: 400))]))
  private let kept: Set = ["google.rpc.ErrorInfo", "taxon.ErrorTraits", "google.rpc.RetryInfo"]

  @Test func dropsNothingWithinTheBudget() {
    #expect(WireStatus(rich).dropped.isEmpty)
  }

  @Test func leavesOutWhatTheThrowerAddedThenTheErrorThenViolations() throws {
    let full = try Decoded(WireStatus(rich))
    var seen: [[String]] = []
    for budget in stride(from: cost(WireStatus(rich)) + 40, to: 900, by: -20) {
      let wire = WireStatus(rich, budget: budget)
      let decoded = try Decoded(wire)
      #expect(cost(wire) <= budget)
      #expect(kept.isSubset(of: decoded.names))
      #expect(try decoded.info?.reason == "VALIDATION_ERROR")
      let omitted = try #require(try decoded.traits?.omitted)
      #expect(omitted == wire.dropped || omitted.isEmpty && wire.dropped.contains("metadata.field"))
      let gone = full.names.filter { !decoded.names.contains($0) }
      if seen.last != gone { seen.append(gone) }
    }
    let order = ["google.rpc.Help", "google.rpc.RequestInfo", "octollm.v1.ValidationError.InvalidInput"]
    #expect(seen.prefix(4).map(Set.init) == (0...3).map { Set(order.prefix($0)) })
  }

  @Test(arguments: Array(stride(from: 0, through: 3000, by: 37))) func keepsAnyBudgetThatAStatusCanKeep(budget: Int)
    throws
  {
    let wire = WireStatus(rich, budget: budget)
    #expect(cost(wire) <= max(budget, 530))
    if !wire.details.isEmpty {
      let decoded = try Decoded(wire)
      #expect(decoded.status.code == wire.code.rawValue)
      #expect(decoded.status.message == wire.message)
    }
  }

  @Test func countsWhatGoesWithIt() {
    var options = WireOptions()
    options.reserved = 7000
    let wire = WireStatus(rich, options)
    #expect(cost(wire, reserved: 7000) <= WireStatus.defaultBudget)
    #expect(wire.dropped.contains("google.rpc.Help"))
  }

  @Test func aLongMessageIsCutBeforeAnythingOfTheErrorGoes() throws {
    let error = CallError.MalformedMessage(type: "t", reason: String(repeating: "r", count: 1800))
    let wire = WireStatus(error)
    #expect(wire.dropped == ["message"])
    #expect(wire.message.utf8.count == 1024)
    #expect(wire.message.hasSuffix("rrr..."))
    #expect(try Decoded(wire).detail(CallError.MalformedMessage.self) == error)
    // The error has its long field itself.
    let larger = CallError.MalformedMessage(type: "t", reason: String(repeating: "r", count: 3000))
    #expect(WireStatus(larger).dropped == ["message", "metadata.reason"])
    #expect(try Decoded(WireStatus(larger)).info?.metadata == ["type": "t"])
    #expect(try Decoded(WireStatus(larger)).detail(CallError.MalformedMessage.self) == larger)
  }

  @Test func whatIsTooLongForEverythingIsInTheMessageAlone() throws {
    let error = CallError.ProtocolViolation(reason: String(repeating: "ü🐙", count: 5000))
    let wire = WireStatus(error)
    #expect(wire.dropped == ["message", "taxon.CallError.ProtocolViolation", "metadata.reason"])
    #expect(wire.message.hasPrefix("ü🐙ü"))
    #expect(wire.message.hasSuffix("..."))
    #expect(try Decoded(wire).info?.reason == "PROTOCOL_VIOLATION")
    #expect(try Decoded(wire).traits?.omitted == wire.dropped)
    #expect(cost(wire) <= WireStatus.defaultBudget)
  }

  @Test func keepsAsManyOfThousandsOfViolationsAsThereIsRoomFor() throws {
    let violations = (0..<5000).map {
      Google_Rpc_BadRequest.FieldViolation(field: "items[\($0)]", description: "wrong")
    }
    let wire = WireStatus(ValidationError.ValidationErrors(errors: violations))
    let decoded = try Decoded(wire)
    let sent = try #require(try decoded.badRequest?.fieldViolations)
    #expect(wire.dropped == ["octollm.v1.ValidationError.ValidationErrors", "google.rpc.BadRequest.field_violations"])
    #expect(sent.count > 150)
    #expect(sent.dropLast() == violations[..<(sent.count - 1)])
    #expect(sent.last == .init(field: "", description: "\(5000 - sent.count + 1) more violations"))
    #expect(cost(wire) <= WireStatus.defaultBudget)
    #expect(cost(wire) > WireStatus.defaultBudget - 100)
    #expect(try decoded.info?.reason == "VALIDATION_ERRORS")
  }

  @Test func whichErrorItIsStaysWhoeverSaysIt() throws {
    let error = ValidationError.InvalidInput(
      field: "priority", description: String(repeating: "d", count: 9000), retryAfter: .seconds(1)
    ).with(Google_Rpc_ErrorInfo(reason: "BROUGHT", domain: "example.org"))
    let decoded = try Decoded(WireStatus(error))
    #expect(try decoded.info?.reason == "BROUGHT")
    #expect(try decoded.traits?.omitted.contains("octollm.v1.ValidationError.InvalidInput") == true)
    // Where even that has no room, what is derived stands for it.
    let large = ValidationError.TaskNotFound(taskID: "42")
      .with(Google_Rpc_ErrorInfo(reason: "BROUGHT", metadata: ["key": String(repeating: "v", count: 9000)]))
      .with(ErrorTraits(category: [String](repeating: "category", count: 1000)))
    let wire = WireStatus(large)
    #expect(try Decoded(wire).info?.reason == "TASK_NOT_FOUND")
    #expect(try Decoded(wire).traits?.omitted == wire.dropped)
    #expect(wire.dropped.suffix(2) == ["taxon.ErrorTraits", "google.rpc.ErrorInfo"])
    #expect(cost(wire) <= WireStatus.defaultBudget)
  }

  @Test func violationsThatTheThrowerBroughtAreCutFromTheEnd() throws {
    let violations = (0..<1000).map {
      Google_Rpc_BadRequest.FieldViolation(field: "items[\($0)]", description: "wrong")
    }
    let wire = WireStatus(RPCError(.invalidArgument).with(Google_Rpc_BadRequest(fieldViolations: violations)))
    let sent = try #require(try Decoded(wire).badRequest?.fieldViolations)
    #expect(wire.dropped == ["google.rpc.BadRequest.field_violations"])
    #expect(sent.dropLast() == violations[..<(sent.count - 1)])
    #expect(sent.last == .init(field: "", description: "\(1000 - sent.count + 1) more violations"))
  }

  @Test func aPlainStatusStaysPlainWhateverTheRoom() {
    let long = String(repeating: "m", count: 2900)
    let wire = WireStatus(RPCError(.unavailable, long))
    #expect(wire.details.isEmpty)
    #expect(wire.isOneFrame)
    #expect(wire.dropped == ["message"])
    #expect(wire.message.utf8.count > 2500)
    #expect(cost(wire) <= 3000 + 180)
    // Beside trailing metadata that fills a frame.
    var options = WireOptions()
    options.reserved = 2900
    let beside = WireStatus(RPCError(.unavailable, "gone"), options)
    #expect(beside.message == "gone")
    #expect(beside.details.isEmpty)
    #expect(beside.dropped.isEmpty)
  }

  @Test func whatTheServerLeftOutReachesTheCaller() {
    let wire = WireStatus(rich, budget: 1200)
    #expect(!wire.dropped.isEmpty)
    let received = CreateTaskError.received(
      ReceivedStatus(code: wire.code, message: wire.message, details: wire.details)
    ).error
    #expect(received.omitted == wire.dropped)
    #expect(received.code == "VALIDATION_ERROR")
  }
}
