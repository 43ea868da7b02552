// SPDX-License-Identifier: Apache-2.0
import Taxon
import Testing

/// The services of closures that are generated for tests.
@Suite struct FakeTests {
  @Test func aMethodDoesWhatItWasGiven() async throws {
    var fake = Shop.Fake()
    fake.buy = { request, context async throws(Shop.BuyError) in
      if request.item.isEmpty { throw .closed() }
      return Everything(aString: request.item + context.path)
    }
    let reply = try await fake.buy(BuyRequest(item: "tea"), context: ServerContext(path: "/buy"))
    #expect(reply.aString == "tea/buy")
    await #expect(throws: Shop.BuyError.closed()) { try await fake.buy(BuyRequest(), context: ServerContext()) }
  }

  @Test func aMethodThatWasGivenNothingIsUnimplemented() async throws {
    let fake: any Shop.Service = Shop.Fake()
    do {
      _ = try await fake.lookUpURL(BuyRequest(), context: ServerContext())
      Issue.record("lookUpURL returned")
    } catch {
      #expect(error.status == .unimplemented)
      #expect(error.message == "The fake was given nothing to do for shop.v1.Shop/LookUpURL")
    }
  }
}
