// SPDX-License-Identifier: Apache-2.0
import Taxon
import Testing

/// Generated clients against generated fakes, over TCP.
@Suite(.timeLimit(.minutes(1))) struct GeneratedServiceTests {
  private static let items = [Item(name: "tea", pence: 120), Item(name: "milk", pence: 90)]

  /// A till that carries out every kind of method.
  private static var till: Till.Fake {
    var till = Till.Fake()
    till.price = { item, _ async throws(Till.PriceError) in Receipt(count: 1, pence: item.pence) }
    till.watch = { _, responses, _ async throws(Till.WatchError) in
      try await responses.write(contentsOf: items)
      throw .closed()
    }
    till.addUp = { requests, _ async throws(Till.AddUpError) in
      var receipt = Receipt()
      for try await item in requests {
        if item.name.isEmpty { throw .wrongField(requestID: "7", field: "name", old: "") }
        receipt.count += 1
        receipt.pence += item.pence
      }
      return receipt
    }
    till.scan = { requests, responses, _ async throws(Till.ScanError) in
      var receipt = Receipt()
      for try await item in requests {
        receipt.count += 1
        receipt.pence += item.pence
        try await responses.write(receipt)
      }
    }
    return till
  }

  private func withChannel(
    to services: [any RPCService], _ test: (Channel) async throws -> Void
  ) async throws {
    let server = Server(.init(port: 0), services: services)
    try await server.start()
    let channel = try Channel("ipv4:127.0.0.1:\(server.port ?? 0)", policy: .none)
    let result: Result<Void, any Error>
    do { result = .success(try await test(channel)) } catch { result = .failure(error) }
    channel.shutDown()
    await server.shutDown()
    try result.get()
  }

  @Test func allKindsOfMethodsAreCalled() async throws {
    try await withChannel(to: [Self.till]) { channel in
      let till = Till.Client(channel)
      #expect(try await till.price(Self.items[0]) == Receipt(count: 1, pence: 120))

      let sum = till.addUp()
      for item in Self.items { try await sum.write(item) }
      #expect(try await sum.response() == Receipt(count: 2, pence: 210))

      let scan = till.scan()
      var receipts = scan.responses.makeAsyncIterator()
      try await scan.write(Self.items[0])
      #expect(try await receipts.next() == Receipt(count: 1, pence: 120))
      try await scan.write(Self.items[1])
      #expect(try await receipts.next() == Receipt(count: 2, pence: 210))
      scan.finish()
      #expect(try await receipts.next() == nil)
    }
  }

  @Test func anErrorBehindMessagesArrivesTyped() async throws {
    try await withChannel(to: [Self.till]) { channel in
      var sold: [Item] = []
      do throws(Till.WatchError) {
        for try await item in Till.Client(channel).watch(Google_Protobuf_Empty()) { sold.append(item) }
        Issue.record("no error")
      } catch {
        let isClosed = if case .closed = error { true } else { false }
        #expect(isClosed)
      }
      #expect(sold == Self.items)
    }
  }

  @Test func anErrorInsteadOfTheReplyArrivesTyped() async throws {
    try await withChannel(to: [Self.till]) { channel in
      do throws(Till.AddUpError) {
        let sum = Till.Client(channel).addUp()
        try await sum.write(Item(pence: 1))
        _ = try await sum.response()
        Issue.record("no error")
      } catch .wrongField(let error) {
        #expect(error.field == "name")
      } catch {
        Issue.record("another error: \(error)")
      }
    }
  }

  @Test func methodsThatDeclareNothingAreCalledToo() async throws {
    var diary = Diary.Fake()
    diary.switch = { requests, responses, _ in
      for try await item in requests { try await responses.write(item) }
    }
    try await withChannel(to: [diary]) { channel in
      let client = Diary.Client(channel)
      let pages = client.switch()
      try await pages.write(contentsOf: Self.items)
      pages.finish()
      var read: [Item] = []
      for try await page in pages.responses { read.append(page) }
      #expect(read == Self.items)

      do throws(RPCError) {
        for try await _ in client.default(Item()) { Issue.record("a message") }
        Issue.record("no error")
      } catch {
        #expect(error.status == .unimplemented)
        #expect(error.message == "The fake was given nothing to do for shop.v1.Diary/Default")
      }
    }
  }

  @Test func methodsThatAreLeftOutAnswerUnimplemented() async throws {
    try await withChannel(to: [PriceTag(), Notebook()]) { channel in
      let till = Till.Client(channel)
      let receipt = try await till.price(Self.items[0])
      #expect(receipt == Receipt(count: 1, pence: 120))
      await expectUnimplemented("shop.v1.Till/Watch") { () async throws(Till.WatchError) in
        for try await _ in till.watch(Google_Protobuf_Empty()) {}
      }
      await expectUnimplemented("shop.v1.Till/AddUp") { () async throws(Till.AddUpError) in
        _ = try await till.addUp().response()
      }
      await expectUnimplemented("shop.v1.Till/Scan") { () async throws(Till.ScanError) in
        for try await _ in till.scan().responses {}
      }

      let diary = Diary.Client(channel)
      await expectUnimplemented("shop.v1.Diary/Import") { () async throws(RPCError) in
        _ = try await diary.import(Item())
      }
      await expectUnimplemented("shop.v1.Diary/Default") { () async throws(RPCError) in
        for try await _ in diary.default(Item()) {}
      }
      await expectUnimplemented("shop.v1.Diary/Switch") { () async throws(RPCError) in
        for try await _ in diary.switch().responses {}
      }
      // Its call is deprecated, which the handler is not.
      await expectUnimplemented("shop.v1.Diary/Repeat") { () async throws(RPCError) in
        do { _ = try await Notebook().repeat(RequestStream([]), context: ServerContext()) } catch {
          throw .lift(error)
        }
      }
    }
    try await withChannel(to: [NoTill()]) { channel in
      await expectUnimplemented("shop.v1.Till/Price") { () async throws(Till.PriceError) in
        _ = try await Till.Client(channel).price(Item())
      }
    }
  }

  private func expectUnimplemented<Failure: ErrorUnion>(
    _ method: String, _ call: () async throws(Failure) -> Void
  ) async {
    do throws(Failure) {
      try await call()
      Issue.record("\(method): no error")
    } catch {
      #expect(error.status == .unimplemented)
      #expect(error.message == "Method /\(method) is not implemented")
      // As grpc-go's Unimplemented…Server: a plain status, which no client repeats and no circuit breaker counts.
      #expect(error.code == RPCError(.unimplemented).code)
      #expect(error.retry == .never)
      #expect(error.breaker == .neutral)
    }
  }
}

/// Carries out one method.
private struct PriceTag: Till.PartialService {
  func price(_ request: Item, context: ServerContext) async throws(Till.PriceError) -> Receipt {
    Receipt(count: 1, pence: request.pence)
  }
}

/// Carries out nothing.
private struct NoTill: Till.PartialService {}
private struct Notebook: Diary.PartialService {}
