// SPDX-License-Identifier: Apache-2.0
import EchoMessages
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import GRPCProtobuf

struct EchoService: Echo.SimpleServiceProtocol {
  func get(request: EchoRequest, context: ServerContext) async throws -> EchoReply {
    EchoReply.with {
      $0.text = request.text
      $0.payload = request.payload
    }
  }

  func refuse(request: EchoRequest, context: ServerContext) async throws -> EchoReply {
    throw GoogleRPCStatus(
      code: .failedPrecondition, message: "The text \(request.text) is refused",
      details: [.errorInfo(reason: "REFUSED", domain: "bench.taxon.dev", metadata: ["text": request.text])])
  }

  func watch(request: EchoRequest, response: RPCWriter<EchoReply>, context: ServerContext) async throws {
    let reply = EchoReply.with {
      $0.text = request.text
      $0.payload = request.payload
    }
    for _ in 0..<request.replies { try await response.write(reply) }
  }
}

// grpc-swift-server PORT. Main is synchronous: an async one would take part in what is measured.
guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
  fatalError("usage: grpc-swift-server PORT")
}
let end = DispatchSemaphore(value: 0)
Task.detached {
  do {
    let server = GRPCServer(
      transport: .http2NIOPosix(address: .ipv4(host: "127.0.0.1", port: port), transportSecurity: .plaintext),
      services: [EchoService()])
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await server.serve() }
      if let address = try await server.listeningAddress {
        print("listening on \(address)")
        fflush(nil)
      }
      try await group.next()
    }
  } catch {
    fatalError("\(error)")
  }
  end.signal()
}
end.wait()
