// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonProtobuf
import Testing

/// Errors that a client knows, of methods that do not declare them to it: its schema is older than the server's.
@Suite(.timeLimit(.minutes(1))) struct KnownErrorsTests {
  /// Each kind of method fails with the same error.
  private static var closedTill: Till.Fake {
    var till = Till.Fake()
    till.price = { _, _ async throws(Till.PriceError) in throw .closed() }
    till.watch = { _, _, _ async throws(Till.WatchError) in throw .closed() }
    till.addUp = { _, _ async throws(Till.AddUpError) in throw .closed() }
    till.scan = { _, _, _ async throws(Till.ScanError) in throw .closed() }
    return till
  }

  private static func method<Request: TaxonProtobuf.Message, Response: TaxonProtobuf.Message>(
    _ name: String
  ) -> MethodDescriptor<Request, Response, RPCError> {
    MethodDescriptor(service: Till.name, method: name)
  }

  private static let kinds = ["Price", "Watch", "AddUp", "Scan"]

  /// What a method that declares nothing to the client fails with.
  private func error(of kind: String, on channel: Channel) async -> RPCError? {
    let options = CallOptions()
    do throws(RPCError) {
      switch kind {
      case "Price":
        let method: MethodDescriptor<Item, Receipt, RPCError> = Self.method(kind)
        _ = try await channel.unary(method, Item(), options: options)
      case "Watch":
        let method: MethodDescriptor<Google_Protobuf_Empty, Item, RPCError> = Self.method(kind)
        for try await _ in channel.serverStreaming(method, Google_Protobuf_Empty(), options: options) {}
      case "AddUp":
        let method: MethodDescriptor<Item, Receipt, RPCError> = Self.method(kind)
        _ = try await channel.clientStreaming(method, options: options).response()
      default:
        let method: MethodDescriptor<Item, Receipt, RPCError> = Self.method(kind)
        for try await _ in channel.bidirectional(method, options: options).responses {}
      }
      return nil
    } catch {
      return error
    }
  }

  private func error(of kind: String, knowing errors: ErrorRegistry?) async throws -> RPCError? {
    var configuration = Channel.Configuration(policy: .none)
    if let errors { configuration.knownErrors = errors }
    let channel = try await Channel.inMemory(to: [Self.closedTill], configuration: configuration)
    defer { channel.shutDown() }
    return await error(of: kind, on: channel)
  }

  @Test(arguments: kinds) func aKnownErrorThatAMethodDoesNotDeclareArrivesTyped(_ kind: String) async throws {
    let error = try await error(of: kind, knowing: .shopV1Errors)
    #expect(error?.as(ClosedError.self) != nil)
    #expect(error?.code == "CLOSED" && error?.domain == "shop.example.com")
  }

  @Test(arguments: kinds) func anErrorThatNobodyKnowsKeepsItsCode(_ kind: String) async throws {
    let error = try await error(of: kind, knowing: nil)
    #expect(error?.as(ClosedError.self) == nil)
    #expect(error?.code == "CLOSED" && error?.domain == "shop.example.com")
  }

  @Test func registriesAreAddedUpAndTaxonsOwnIsAlwaysThere() async throws {
    let registry: ErrorRegistry = [.shopV1Errors, .taxonErrors]
    #expect(registry.types.count == ErrorRegistry.shopV1Errors.types.count + ErrorRegistry.taxonErrors.types.count)
    let channel = try await Channel.inMemory(to: [HealthService()])
    defer { channel.shutDown() }
    let error = await error(of: "Price", on: channel)
    #expect(error?.as(CallError.MethodNotFound.self)?.path == "/shop.v1.Till/Price")
  }
}
