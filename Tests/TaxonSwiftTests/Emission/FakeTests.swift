// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonProtobuf
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
    let fake: any Till.Service = Till.Fake()
    do {
      _ = try await fake.addUp(RequestStream([]), context: ServerContext())
      Issue.record("addUp returned")
    } catch {
      #expect(error.status == .unimplemented)
      #expect(error.message == "The fake was given nothing to do for shop.v1.Till/AddUp")
    }
  }

  @Test func streamingMethodsAreGivenToo() async throws {
    let written = Locked<[Receipt]>([])
    var fake = Till.Fake()
    fake.watch = { _, responses, _ async throws(Till.WatchError) in throw .closed() }
    fake.addUp = { requests, _ async throws(Till.AddUpError) in
      var receipt = Receipt()
      for try await item in requests {
        if item.name.isEmpty { throw .wrongField(requestID: "7", field: "name", old: "") }
        receipt.count += 1
        receipt.pence += item.pence
      }
      return receipt
    }
    fake.scan = { requests, responses, _ async throws(Till.ScanError) in
      for try await item in requests { try await responses.write(Receipt(count: 1, pence: item.pence)) }
    }
    let items = [Item(name: "tea", pence: 120), Item(name: "milk", pence: 90)]
    let context = ServerContext()

    let receipt = try await fake.addUp(RequestStream(items), context: context)
    #expect(receipt == Receipt(count: 2, pence: 210))
    await #expect(throws: Till.AddUpError.wrongField(requestID: "7", field: "name", old: "")) {
      try await fake.addUp(RequestStream([Item()]), context: context)
    }
    await #expect(throws: Till.WatchError.closed()) {
      try await fake.watch(
        Google_Protobuf_Empty(), responses: ResponseWriter { _ async throws(Till.WatchError) in }, context: context)
    }
    try await fake.scan(
      RequestStream(items),
      responses: ResponseWriter { reply async throws(Till.ScanError) in written.withLock { $0.append(reply) } },
      context: context)
    #expect(written.withLock { $0 } == [Receipt(count: 1, pence: 120), Receipt(count: 1, pence: 90)])
  }

  @Test func aMethodThatDeclaresNothingMayThrowAnything() async throws {
    struct Torn: Error {}
    var fake = Diary.Fake()
    fake.default = { _, _, _ in throw Torn() }
    fake.switch = { requests, responses, _ in
      for try await item in requests { try await responses.write(item) }
    }
    let responses = ResponseWriter<Item, RPCError> { _ async throws(RPCError) in }
    await #expect(throws: Torn.self) {
      try await fake.default(Item(), responses: responses, context: ServerContext())
    }
    try await fake.switch(RequestStream([]), responses: responses, context: ServerContext())
    await #expect(throws: RPCError.self) { try await fake.import(Item(), context: ServerContext()) }
  }
}
