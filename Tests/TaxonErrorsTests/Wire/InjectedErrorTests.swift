// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import Testing

/// Errors that were raised on purpose, on the wire.
@Suite struct InjectedErrorTests {
  private func injected(_ error: RPCError, _ damage: DetailsDamage? = nil) -> RPCError {
    var error = error
    error.context.injection = InjectedFault(damage: damage)
    return error
  }

  private func received(_ error: RPCError) -> Received<RPCError> {
    let status = WireStatus(error)
    return RPCError.received(ReceivedStatus(code: status.code, message: status.message, details: status.details))
  }

  private let declared = RPCError(ConnectionError.CircuitOpen(endpoint: "orders"))

  @Test func theMarkArrives() {
    let arrived = received(injected(declared)).error
    #expect(arrived.isInjected)
    #expect(arrived.code == "CIRCUIT_OPEN")
    #expect(arrived.as(ConnectionError.CircuitOpen.self)?.endpoint == "orders")
    #expect(!received(declared).error.isInjected)
  }

  @Test func aPlainStatusHasTraitsForIt() {
    #expect(WireStatus(RPCError(.unavailable, "away")).details.isEmpty)
    let arrived = received(injected(RPCError(.unavailable, "away"))).error
    #expect(arrived.isInjected)
    #expect(arrived == RPCError(.unavailable, "away"))
  }

  @Test func theMarkStaysWhenDetailsAreLeftOut() {
    var error = injected(declared)
    error.context.details.append(Google_Rpc_DebugInfo(detail: String(repeating: "x", count: 20_000)))
    let arrived = received(error).error
    #expect(arrived.isInjected)
    #expect(arrived.omitted == ["google.rpc.DebugInfo"])
  }

  @Test func withoutItsPayloadAnErrorHasItsIdentity() {
    let (error, notes) = (
      received(injected(declared, .payloadMissing)).error, received(injected(declared, .payloadMissing)).notes
    )
    #expect(error.code == "CIRCUIT_OPEN")
    #expect(error.as(ConnectionError.CircuitOpen.self) == nil)
    #expect(notes == [.payloadMissing(ConnectionError.CircuitOpen.declaration.identity)])
  }

  @Test func detailsAreCutOrTooLarge() {
    let whole = WireStatus(injected(declared)).details
    #expect(WireStatus(injected(declared, .truncated)).details == Array(whole.prefix((whole.count + 1) / 2)))
    let large = received(injected(declared, .oversized(20_000)))
    #expect(large.notes.isEmpty)
    #expect(large.error.receivedDetails.last?.messageName == "taxon.Filler")
    #expect(WireStatus(injected(declared, .oversized(20_000))).details.count > 20_000)
  }

  @Test func theLogSaysIt() {
    #expect(ErrorLogEntry(injected(declared)).metadata.contains { $0.key == "error.injected" && $0.value == "true" })
    #expect(!ErrorLogEntry(declared).metadata.contains { $0.key == "error.injected" })
  }
}
