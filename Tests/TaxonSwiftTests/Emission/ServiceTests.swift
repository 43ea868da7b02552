// SPDX-License-Identifier: Apache-2.0
import TaxonSwift
import Testing

/// The text that a service's parts become. What they do is tested with the compiled code of Schemas/shop.
@Suite struct ServiceTests {
  private static let schema = TestSchema.errors(
    """
    message M {}
    message Bad { option (taxon.error) = { code: "BAD" status: ABORTED }; }
    service S {
      option (taxon.service_raises).errors = "Bad";
      rpc Get(M) returns (M);
      rpc Watch(M) returns (stream M);
      rpc Upload(stream M) returns (M);
      rpc Chat(stream M) returns (stream M);
    }
    service Plain {
      rpc Chat(stream M) returns (stream M);
    }
    """)

  @Test(arguments: [
    // Requirements.
    "    func get(_ request: T_M, context: ServerContext) async throws(GetError) -> T_M\n",
    """
        func watch(
          _ request: T_M, responses: ResponseWriter<T_M, WatchError>, context: ServerContext
        ) async throws(WatchError)

    """,
    "    func upload(_ requests: RequestStream<T_M, UploadError>, context: ServerContext) async throws(UploadError) -> T_M\n",
    """
        func chat(
          _ requests: RequestStream<T_M, ChatError>, responses: ResponseWriter<T_M, ChatError>, context: ServerContext
        ) async throws(ChatError)

    """,
    """
        func chat(
          _ requests: RequestStream<T_M, RPCError>, responses: ResponseWriter<T_M, RPCError>, context: ServerContext
        ) async throws

    """,
    // Calls.
    """
        func watch(_ request: T_M, options: CallOptions = CallOptions()) -> ResponseStream<T_M, WatchError> {
          invoker.serverStreaming(Methods.watch, request, options: options)
        }

    """,
    """
        func upload(options: CallOptions = CallOptions()) -> ClientStreamingCall<T_M, T_M, UploadError> {
          invoker.clientStreaming(Methods.upload, options: options)
        }

    """,
    """
        func chat(options: CallOptions = CallOptions()) -> BidirectionalCall<T_M, T_M, RPCError> {
          invoker.bidirectional(Methods.chat, options: options)
        }

    """,
    // Registration.
    """
        registry.add(serverStreaming: T_S.Methods.watch, handler: self.watch(_:responses:context:))
        registry.add(clientStreaming: T_S.Methods.upload, handler: self.upload(_:context:))
        registry.add(bidirectional: T_S.Methods.chat, handler: self.chat(_:responses:context:))

    """,
    """
        registry.add(bidirectional: T_Plain.Methods.chat, handler: self.chat(_:responses:context:))

    """,
    // Methods that are left out.
    "  protocol PartialService: Service {}\n",
    """
    extension T_S.PartialService {
      /// UNIMPLEMENTED.
      func get(_ request: T_M, context: ServerContext) async throws(T_S.GetError) -> T_M {
        throw T_S.Methods.get.unimplemented()
      }

    """,
    """
      func chat(
        _ requests: RequestStream<T_M, RPCError>, responses: ResponseWriter<T_M, RPCError>, context: ServerContext
      ) async throws {
        throw T_Plain.Methods.chat.unimplemented()
      }

    """,
    // Fakes.
    """
        var watch: (@Sendable (T_M, ResponseWriter<T_M, WatchError>, ServerContext) async throws(WatchError) -> Void)?

    """,
    """
        ) async throws(ChatError) {
          try await Methods.chat.given(self.chat)(requests, responses, context)
        }

    """,
  ])
  func everyKindOfMethodHasItsShape(text: String) throws {
    let swift = try Self.schema.swift()
    #expect(swift.contains(text))
  }

  @Test func clientsCanBeLeftOut() throws {
    var schema = Self.schema
    schema.settings.clients = false
    let swift = try schema.swift()
    #expect(!swift.contains("Client"))
    #expect(!swift.contains("CallInvoker"))
    #expect(swift.contains("struct Fake: Service"))
  }

  @Test func fakesCanBeLeftOut() throws {
    var schema = Self.schema
    schema.settings.fakes = false
    let swift = try schema.swift()
    #expect(!swift.contains("Fake"))
    #expect(swift.contains("struct Client: Sendable"))
  }
}
