// SPDX-License-Identifier: Apache-2.0
import Taxon
import Testing

/// What errors inside of other errors keep to themselves, in all that leaves the process.
@Suite struct NestedErrorTests {
  private static let personal = "Ada Lovelace"
  private static let `internal` = "10.0.0.7"

  private static let refused = OrderRefused(reason: "closed", customer: personal, trace: `internal`)

  private static func attempt(detail: Google_Protobuf_Any? = nil) -> OrderAttempt {
    OrderAttempt(
      shop: "north", refused: refused, earlier: [OrderAttempt(shop: "south", refused: refused)], detail: detail,
      byShop: ["east": refused], outcome: .last(refused))
  }

  private static func failed(_ change: (inout OrderFailed) -> Void = { _ in }) -> OrderFailed {
    var error = OrderFailed(number: 7, retryAfter: .seconds(3))
    change(&error)
    return error
  }

  private static func packed(_ message: some Taxon.Message) -> Google_Protobuf_Any {
    Google_Protobuf_Any(
      typeURL: Google_Protobuf_Any.typeURL(of: type(of: message)), value: (try? message.encoded()) ?? [])
  }

  /// One error a place where errors can be.
  private static let errors: [OrderFailed] = [
    failed { $0.first = refused },
    failed { $0.all = [refused, refused] },
    failed { $0.byNumber = [1: refused] },
    failed { $0.last = .refused(refused) },
    failed { $0.last = .attempt(attempt()) },
    failed { $0.attempts = [attempt(), attempt(detail: packed(refused))] },
    failed { $0.attemptsByShop = ["west": attempt()] },
    failed { $0.any = packed(refused) },
    failed { $0.any = packed(attempt(detail: packed(refused))) },
    failed { $0.any = packed(packed(failed { $0.first = refused })) },
    failed { $0.earlier = failed { $0.earlier = failed { $0.all = [refused] } } },
  ]

  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test(arguments: errors) func internalFieldsLeaveByNoRoad(_ error: OrderFailed) throws {
    let wire = WireStatus(error, WireOptions(budget: 65536))
    #expect(!wire.details.contains(bytes(Self.internal)))
    #expect(wire.details.contains(bytes(Self.personal)), "personal fields are in the typed error")
    let connect = ConnectBody(error)
    #expect(!connect.status.details.contains(bytes(Self.internal)))
    for body in [connect.json, ErrorBody(error).json, ErrorBody(error, as: .problem).json] {
      #expect(!body.contains(bytes(Self.internal)) && !body.contains(bytes(Self.personal)))
    }
    let log = ErrorLogEntry(error)
    #expect(!"\(log.message) \(log.metadata)".contains(Self.internal))
    #expect(!"\(log.message) \(log.metadata)".contains(Self.personal))
  }

  @Test func whatMayLeaveStays() throws {
    let error = Self.failed {
      $0.attempts = [Self.attempt()]
      $0.all = [Self.refused]
      $0.line = OrderLine(article: "soap")
    }
    let sent = error.publicPayload
    #expect(sent.all == [OrderRefused(reason: "closed", customer: Self.personal, trace: "")])
    #expect(sent.attempts[0].earlier[0].refused == sent.all[0])
    #expect(sent.attempts[0].byShop == ["east": sent.all[0]] && sent.attempts[0].outcome == .last(sent.all[0]))
    #expect(sent.attempts[0].shop == "north" && sent.line?.article == "soap" && sent.retryAfter == .seconds(3))
    #expect(error.safePayload.all == [OrderRefused(reason: "closed", customer: "", trace: "")])
    let json = String(decoding: ErrorBody(error).json, as: UTF8.self)
    #expect(json.contains(#""all":[{"reason":"closed"}]"#), "\(json)")
    #expect(json.contains(#""shop":"south""#), "\(json)")
  }

  @Test func anAnyOfAnotherTypeStaysAsItIs() throws {
    let line = Self.packed(OrderLine(article: "soap"))
    let unknown = Google_Protobuf_Any(typeURL: "type.example.com/unknown", value: [1, 2, 3])
    let error = Self.failed {
      $0.any = line
      $0.attempts = [OrderAttempt(shop: "north", detail: unknown)]
    }
    #expect(error.publicPayload == error)
  }

  @Test func anAnyThatDoesNotHoldWhatItSaysIsEmptied() {
    let wrong = Google_Protobuf_Any(typeURL: Google_Protobuf_Any.typeURL(of: OrderRefused.self), value: [26, 255])
    #expect(Self.failed { $0.any = wrong }.publicPayload.any?.value == [])
  }

  @Test func anysInOneAnotherAreFollowedSoFarAndNoFurther() {
    var any = Self.packed(Self.refused)
    for _ in 0..<200 { any = Self.packed(any) }
    let wire = WireStatus(Self.failed { $0.any = any }, WireOptions(budget: 1 << 20))
    #expect(!wire.details.contains(bytes(Self.internal)))
  }

  @Test func internalFieldsAloneNeedNoSecondPayload() {
    let error = OrderDelayed(lost: [OrderLost(trace: Self.internal)])
    #expect(error.publicPayload.lost == [OrderLost(trace: "")])
    #expect(error.safePayload.lost == [OrderLost(trace: "")])
  }

  @Test func aDeclaredErrorAsADetailHasNoInternalFields() {
    var details = ErrorDetails()
    details.append(Self.refused)
    #expect(details[OrderRefused.self] == OrderRefused(reason: "closed", customer: Self.personal, trace: ""))
  }
}

extension [UInt8] {
  /// Whether some bytes are in these, one behind the other.
  fileprivate func contains(_ part: [UInt8]) -> Bool {
    indices.contains { self[$0...].starts(with: part) }
  }
}
