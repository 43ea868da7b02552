// SPDX-License-Identifier: Apache-2.0
import EchoSchema
import Foundation
import Logging
import Taxon

struct EchoService: Echo.Service {
  func get(_ request: EchoRequest, context: ServerContext) async throws(Echo.GetError) -> EchoReply {
    EchoReply(text: request.text, payload: request.payload)
  }

  func refuse(_ request: EchoRequest, context: ServerContext) async throws(Echo.RefuseError) -> EchoReply {
    throw .refused(text: request.text)
  }

  func gather(_ request: Batch, context: ServerContext) async throws -> EchoReply { EchoReply() }

  func watch(
    _ request: EchoRequest, responses: ResponseWriter<EchoReply, Echo.WatchError>, context: ServerContext
  ) async throws(Echo.WatchError) {
    let reply = EchoReply(text: request.text, payload: request.payload)
    for _ in 0..<request.replies { try await responses.write(reply) }
  }
}

// taxon-bench-server PORT. Main is synchronous: an async one would take part in what is measured.
guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
  // A program for the benchmarks alone, which show what it says.
  fatalError("usage: taxon-bench-server PORT")
}
// Errors that callers ask for are no news.
var logger = Logger(label: "taxon.bench")
logger.logLevel = .warning
let end = DispatchSemaphore(value: 0)
Task.detached { [logger] in
  do {
    let server = Server(
      .init(host: "127.0.0.1", port: port, threads: 1), services: [EchoService()], logger: logger)
    try await server.run { port in
      print("listening on port \(port)")
      fflush(nil)
    }
  } catch {
    // As above: there is nothing to measure without a server.
    fatalError("\(error)")
  }
  end.signal()
}
end.wait()
