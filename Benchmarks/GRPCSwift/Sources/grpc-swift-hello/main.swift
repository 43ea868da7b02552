// SPDX-License-Identifier: Apache-2.0
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf

// The same as Taxon's, taxon-bench-hello.
struct Greetings: Greeter.SimpleServiceProtocol {
  func greet(request: GreetRequest, context: ServerContext) async throws -> GreetReply {
    GreetReply.with { $0.greeting = "Hello, \(request.name)" }
  }
}

let server = GRPCServer(
  transport: .http2NIOPosix(address: .ipv4(host: "127.0.0.1", port: 0), transportSecurity: .plaintext),
  services: [Greetings()])
try await withThrowingDiscardingTaskGroup { group in
  group.addTask { try await server.serve() }
  guard let port = try await server.listeningAddress?.ipv4?.port else { return }
  try await withGRPCClient(
    transport: .http2NIOPosix(target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext)
  ) { client in
    print(try await Greeter.Client(wrapping: client).greet(.with { $0.name = "Ada" }).greeting)
  }
  server.beginGracefulShutdown()
}
