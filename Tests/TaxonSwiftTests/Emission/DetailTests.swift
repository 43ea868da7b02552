// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon
import TaxonProtobuf
import Testing

@testable import TaxonErrors

/// The details that Schemas/shop/v1/details.proto gives its errors, as they are sent.
@Suite struct DetailTests {
  private let lost = DeliveryError.ParcelLost(order: "7", carrier: nil, address: "Main Street")
  private let tooMany = DeliveryError.TooManyParcels(
    order: "7", limit: 3, wait: 0, more: [.init(subject: "shop")], last: .init(subject: "lorry"),
    secret: .init(subject: "hunter2"))
  private let notReady = DeliveryError.NotReady(
    order: "7", more: .init(violations: [.init(type: "OPEN", subject: "door")]), readyIn: .init(seconds: 2, nanos: 5),
    thing: .init(resourceType: "Thing", resourceName: "t"),
    links: [.init(links: [.init(description: "d", url: "https://x.dev")])],
    texts: [.init(locale: "fr", message: "pas prêt")])

  /// The details as they are sent, and their types without the package.
  private func sent(_ error: some TaxonomyError, _ options: WireOptions = WireOptions()) throws -> (
    ErrorDetails, [String]
  ) {
    let status = try Google_Rpc_Status(decoding: WireStatus(error, options).details)
    return (ErrorDetails(status.details), status.details.map { $0.messageName.replacing(#/.*\./#, with: "") })
  }

  private func options(languages: String? = nil, requestID: String? = nil, budget: Int = 8192) -> WireOptions {
    var options = WireOptions(budget: budget)
    options.languages = languages
    options.requestID = requestID
    return options
  }

  // MARK: What is derived

  @Test func whatIsDerivedIsSentWhereTheThrowersOwnHasNoRoom() throws {
    let long = String(repeating: "x", count: 20_000)
    let error = lost.with(Google_Rpc_LocalizedMessage(locale: "it", message: long))
      .with(Google_Rpc_RequestInfo(requestID: "own", servingData: long))
    let (details, _) = try sent(error, options(languages: "de", requestID: "r-1"))
    #expect(details.localizedMessage?.message == "Paket 7 ist verloren")
    #expect(details.requestInfo?.requestID == "r-1")
  }

  @Test func aBodyDoesNotTakeTheTextOfAnotherService() {
    let behind = lost.with(Google_Rpc_LocalizedMessage(locale: "de", message: "of the service behind")).fromCall()
    let body = ErrorBody(DeliveryError.parcelLost(behind), as: .standard, options(languages: "de"))
    #expect(String(decoding: body.json, as: UTF8.self).contains("Paket 7 ist verloren"))
    let own = behind.with(Google_Rpc_LocalizedMessage(locale: "de", message: "our own"))
    let second = ErrorBody(DeliveryError.parcelLost(own), as: .standard, options(languages: "de"))
    #expect(String(decoding: second.json, as: UTF8.self).contains("our own"))
  }

  @Test func templatesAreFilledIn() throws {
    let (details, names) = try sent(lost, options(languages: "de-AT, en;q=0.5", requestID: "r-1"))
    #expect(
      names == ["ErrorInfo", "ParcelLost", "ErrorTraits", "ResourceInfo", "RequestInfo", "Help", "LocalizedMessage"])
    #expect(
      details.resourceInfo
        == .init(resourceType: "shop.v1.Parcel", resourceName: "parcels/7", owner: "nobody", description: "{gone}"))
    #expect(details.help?.links == [.init(description: "About order 7", url: "https://shop.example/help/7")])
    #expect(details.localizedMessage == .init(locale: "de", message: "Paket 7 ist verloren"))
    #expect(details.requestInfo?.requestID == "r-1")
  }

  @Test func withoutARequestThatAsksForThemThereAreNeitherLanguageNorID() throws {
    #expect(try sent(lost).1 == ["ErrorInfo", "ParcelLost", "ErrorTraits", "ResourceInfo", "Help"])
    #expect(lost.localizedMessages.map(\.locale) == ["de", "de-CH", "pt-BR"])
  }

  @Test func fieldsOfTheTypesComeBehindTheTemplates() throws {
    let (details, names) = try sent(tooMany)
    #expect(names == ["ErrorInfo", "TooManyParcels", "ErrorTraits", "RetryInfo", "QuotaFailure", "Help"])
    #expect(details.quotaFailure?.violations.map(\.subject) == ["order:7", "shop", "lorry"])
    #expect(
      details.quotaFailure?.violations.first
        == .init(
          subject: "order:7", description: "3 parcels", apiService: "shop.example", quotaMetric: "parcels",
          quotaID: "ParcelsPerOrder"))

    let (other, _) = try sent(notReady, options(languages: "fr"))
    #expect(other.preconditionFailure?.violations.map(\.type) == ["PAID", "PACKED", "OPEN"])
    #expect(other.resourceInfo?.resourceName == "t")
    // The error's own link counts, not that of its category.
    #expect(other.help?.links.map(\.url) == ["https://shop.example/ready", "https://x.dev"])
    #expect(other.localizedMessage?.message == "pas prêt")
  }

  @Test func anErrorWithoutDetailsHasNoneDerived() {
    let plain = CustomerError.WrongField(requestID: "", field: "", description: "", more: [], old: "")
    #expect(plain.derivedDetails.isEmpty && plain.localizedMessages.isEmpty)
  }

  // MARK: Time to wait

  @Test func theThrowerCountsMoreThanTheFieldAndThatMoreThanTheDeclaration() {
    #expect(tooMany.retryAfter == .seconds(5))
    var error = tooMany
    error.wait = 9
    #expect(error.retryAfter == .seconds(9))
    #expect(error.retryAfter(.seconds(1)).retryAfter == .seconds(1))
    #expect(notReady.retryAfter == .seconds(2) + .nanoseconds(5))
    #expect(
      DeliveryError.NotReady(order: "", more: nil, readyIn: nil, thing: nil, links: [], texts: []).retryAfter == nil)
  }

  @Test func timesAreBounded() {
    var error = tooMany
    error.wait = .max
    #expect(error.retryAfter == .seconds(315_576_000_000) + .nanoseconds(999_999_999))
    #expect(WireStatus(error).retryAfter == 315_576_000_001)
    let negative = DeliveryError.LorryAway(order: "", backIn: .min)
    #expect(WireStatus(negative).retryAfter == 0)
    #expect(DeliveryError.LorryAway(order: "", backIn: 1500).retryAfter == .milliseconds(1500))
    // Set to zero is said; not set is not.
    #expect(DeliveryError.LorryAway(order: "", backIn: 0).retryAfter == .zero)
    #expect(DeliveryError.LorryAway(order: "", backIn: nil).retryAfter == nil)
  }

  // MARK: What the thrower adds, and what comes from elsewhere

  @Test func whatTheThrowerAddsStandsForWhatIsDerived() throws {
    let error = lost.with(Google_Rpc_ResourceInfo(resourceName: "own")).with(Google_Rpc_Help())
      .with(Google_Rpc_LocalizedMessage(locale: "it", message: "m")).with(Google_Rpc_RequestInfo(requestID: "own"))
    let (details, names) = try sent(error, options(languages: "de", requestID: "r-1"))
    #expect(
      names == ["ErrorInfo", "ParcelLost", "ErrorTraits", "ResourceInfo", "Help", "LocalizedMessage", "RequestInfo"])
    #expect(details.resourceInfo?.resourceName == "own" && details.requestInfo?.requestID == "own")
    #expect(details.localizedMessage?.locale == "it")
  }

  @Test func anErrorThatIsReadAndSentAgainHasEachOnce() throws {
    let wire = WireStatus(lost, options(languages: "de", requestID: "first"))
    let status = ReceivedStatus(code: wire.code, message: wire.message, details: wire.details)
    let received = DeliveryError.received(status).error
    #expect(received.details.resourceInfo?.resourceName == "parcels/7")
    #expect(received.details.requestInfo?.requestID == "first")
    let again = try #require(received.as(DeliveryError.ParcelLost.self))
    let (details, names) = try sent(again, options(languages: "pt-br", requestID: "second"))
    #expect(
      names == ["ErrorInfo", "ParcelLost", "ErrorTraits", "ResourceInfo", "RequestInfo", "Help", "LocalizedMessage"])
    #expect(details.localizedMessage?.locale == "pt-BR" && details.requestInfo?.requestID == "second")
  }

  @Test func aPlainStatusStaysPlain() {
    #expect(WireStatus(RPCError(.notFound, "no"), options(languages: "de", requestID: "r")).details.isEmpty)
  }

  // MARK: Budget

  @Test func helpAndLanguageGoFirst() throws {
    let all = WireStatus(lost, options(languages: "de", requestID: "r-1"))
    #expect(all.dropped.isEmpty)
    var dropped: [[String]] = []
    for budget in stride(from: 2500, through: 600, by: -20) {
      let wire = WireStatus(lost, options(languages: "de", requestID: "r-1", budget: budget))
      if dropped.last != wire.dropped { dropped.append(wire.dropped) }
    }
    let order = [
      "google.rpc.Help", "google.rpc.LocalizedMessage", "shop.v1.DeliveryError.ParcelLost", "google.rpc.RequestInfo",
      "google.rpc.ResourceInfo",
    ]
    for count in 0..<order.count { #expect(dropped.contains { $0 == Array(order.prefix(count)) }, "\(dropped)") }
  }

  @Test func violationsGoFromTheEnd() throws {
    var error = tooMany
    error.more = (0..<200).map { .init(subject: "subject \($0)", description: String(repeating: "d", count: 50)) }
    let (details, _) = try sent(error, options(budget: 8192))
    let violations = try #require(details.quotaFailure?.violations)
    #expect(violations.count > 5 && violations.count < 200)
    #expect(violations.first?.subject == "order:7")
    #expect(violations.last?.description == "\(202 - violations.count + 1) more violations")
    #expect(details[ErrorTraits.self]?.omitted.contains("google.rpc.QuotaFailure.violations") == true)
  }

  // MARK: Other roads

  @Test func connectHasTheSameDetails() throws {
    let body = String(decoding: ConnectBody(lost, options(languages: "de", requestID: "r")).json, as: UTF8.self)
    for type in ["ResourceInfo", "RequestInfo", "Help", "LocalizedMessage"] {
      #expect(body.contains("\"type\":\"google.rpc.\(type)\""))
    }
    #expect(body.contains("Paket 7 ist verloren"))
  }

  @Test func aProblemHasThemAsMembers() throws {
    let body = ErrorBody(lost, as: .problem, options(languages: "de", requestID: "r-1"))
    #expect(body.contentLanguage == "de" && body.variesByLanguage)
    let problem = try #require(try JSONSerialization.jsonObject(with: Data(body.json)) as? [String: Any])
    #expect(problem["detail"] as? String == "Paket 7 ist verloren")
    #expect(problem["request_id"] as? String == "r-1")
    let resources = try #require(problem["resources"] as? [[String: String]])
    #expect(resources.first?["resource_name"] == "parcels/7")
    let help = try #require(problem["help"] as? [[String: String]])
    #expect(help == [["description": "About order 7", "url": "https://shop.example/help/7"]])
    #expect(problem["quota"] == nil)
    #expect(!String(decoding: body.json, as: UTF8.self).contains("Main Street"))
  }

  @Test func theStandardsBodyHasTheMessageInTheCallersLanguage() throws {
    let body = ErrorBody(lost, as: .standard, options(languages: "de-CH"))
    #expect(body.contentLanguage == "de-CH")
    #expect(String(decoding: body.json, as: UTF8.self).contains("\"message\":\"Paket 7 isch weg\""))
    let english = ErrorBody(lost, as: .standard, options(languages: "en"))
    #expect(english.contentLanguage == nil && english.variesByLanguage)
    #expect(String(decoding: english.json, as: UTF8.self).contains("\"message\":\"Parcel 7 is lost\""))
  }

  @Test func whatIsInternalIsNotDerived() {
    #expect(!tooMany.derivedDetails.quota.contains { $0.subject == "hunter2" })
  }
}
