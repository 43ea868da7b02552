// SPDX-License-Identifier: Apache-2.0
import Taxon

/// The smallest program that serves and calls: how large it is, and what the compiler takes for it.
struct Greetings: Greeter.Service {
  func greet(_ request: GreetRequest, context: ServerContext) async throws(RPCError) -> GreetReply {
    GreetReply(greeting: "Hello, \(request.name)")
  }
}

let server = Server(.init(port: 0), services: [Greetings()])
try await server.start()
let channel = try Channel("dns:///localhost:\(server.port ?? 0)")
print(try await Greeter.Client(channel).greet(GreetRequest(name: "Ada")).greeting)
channel.shutDown()
await server.shutDown()
// Without the trait TLS nobody is told that calls are encrypted.
do {
  _ = try Channel("dns:///localhost:1", tls: ClientTLS())
} catch {
  print(error.message)
}
