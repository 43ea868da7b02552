// SPDX-License-Identifier: Apache-2.0
import Taxon
import Testing

/// What the generated code of Schemas/shop does.
@Suite struct GeneratedErrorTests {
  private let cardRefused = CustomerError.PaymentError.CardRefused(
    size: .small, lastDigits: "4242", attempts: 2, limit: 0, reasons: ["expired", "stolen"], owner: "Ada",
    note: "watch her", trace: [1, 2])

  private let warehouse = SystemError.WAREHOUSEDBError(
    site: "north", size: .unspecified, share: 0.5, data: [], isOn: false, place: .secret("7b"), sizes: [.xxl],
    message: "m", retryAfterField: 3, context: "c", old: "o", oldSecret: "s", retryAfter: .seconds(9))

  @Test func theMessageIsRenderedFromTheTemplate() {
    #expect(
      cardRefused.message == "Card {4242} refused, 2 of all attempts, 2 reasons: expired, stolen \"quoted\"")
    #expect(warehouse.message == "Warehouse north of any size, 0.5, , no data, off, -, SIZE_XXL")
  }

  @Test func metadataHasTheSafeFieldsThatAreSet() {
    #expect(
      cardRefused.metadata
        == [
          "size": "SIZE_SMALL", "last_digits": "4242", "attempts": "2", "limit": "0", "reasons": "expired, stolen",
          "counts": nil,
        ].compactMapValues { $0 })
    #expect(warehouse.metadata["number"] == nil)
    #expect(warehouse.metadata["secret"] == nil)
    #expect(warehouse.metadata["message"] == "m")
  }

  @Test func whatIsInternalLeavesThePublicPayload() {
    let payload = cardRefused.publicPayload
    #expect(payload.note == "" && payload.trace == nil && payload.names == nil)
    #expect(payload.owner == "Ada")
    #expect(warehouse.publicPayload.place == nil)
  }

  @Test func violationsComeFromTheFieldsThatSaySo() {
    let error = CustomerError.WrongField(
      requestID: "1", field: "name", description: "is empty", more: [.init(field: "age", description: "is negative")],
      old: "")
    #expect(error.violations.map(\.field) == ["name", "age"])
    #expect(error.violations.map(\.description) == ["is empty", "is negative"])
  }

  @Test func theThrowersTimeToWaitIsNotTheField() {
    #expect(warehouse.retryAfter == .seconds(9))
    #expect(warehouse.retryAfterField == 3)
  }

  @Test func aCategoryKnowsItsPlaceInTheTaxonomy() {
    #expect(ShopError.category?.path == [])
    #expect(CustomerError.PaymentError.category?.path == ["CustomerError", "PaymentError"])
    #expect(ShopError.category?.domain == cardRefused.domain)
    #expect(cardRefused.is(CustomerError.self) && cardRefused.is(ShopError.self) && !cardRefused.is(SystemError.self))
  }

  @Test func aUnionLiftsItsOwnAndLooksIntoItsCategories() throws {
    #expect(CustomerError(cardRefused)?.code == "CARD_REFUSED")
    guard case .customer(.payment(.cardRefused(let error))) = ShopError(cardRefused) else {
      Issue.record("not lifted")
      return
    }
    #expect(error == cardRefused)
    #expect(CustomerError(warehouse) == nil)
  }

  @Test func aUnionTakesRPCErrorsAsOther() {
    guard case .other = ShopError(RPCError(.unknown, "?")) else {
      Issue.record("not lifted")
      return
    }
  }

  @Test func aCategorysOwnFieldsAreOptional() {
    #expect(CustomerError.payment(.cardRefused(cardRefused)).size == .small)
    #expect(CustomerError.payment(.cardRefused(cardRefused)).requestID == nil)
    #expect(CustomerError.wrongField(requestID: "1", field: "f", old: "").requestID == "1")
  }

  @Test func theMethodsEnumTellsErrorsOfOneNameApart() throws {
    #expect(Shop.BuyError.members.count == 8)
    let bank: Shop.BuyError = .bankTimeout()
    #expect(bank.code == "BANK_TIMEOUT")
    #expect(bank.retryAfter == .seconds(5))
    let other: Shop.BuyError = .otherError()
    #expect(other.code == "OTHER")
  }

  @Test func anErrorKeepsItsFieldsOnTheWire() throws {
    #expect(try SystemError.WAREHOUSEDBError(decoding: warehouse.encoded()) == warehouse)
    #expect(try CustomerError.PaymentError.CardRefused(decoding: cardRefused.encoded()) == cardRefused)
  }

  @Test func theRegistryKnowsAllErrorsOfTheFile() {
    #expect(
      ErrorRegistry.shopV1Errors["shop.example.com", "CARD_REFUSED"] == CustomerError.PaymentError.CardRefused.self)
    #expect(ErrorRegistry.shopV1Errors["shop.example.com", "CLOSED"] == ClosedError.self)
  }
}
