// SPDX-License-Identifier: Apache-2.0
import Foundation
import Hummingbird
import Logging
import NIOPosix

/// The schema's EchoRequest in protobuf's JSON, where fields that have their default are left out.
struct EchoRequest: Decodable {
  var text: String?
  var payload: Data?
  var replies: Int32?
}

/// The schema's EchoReply.
struct EchoReply: ResponseEncodable {
  var text: String?
  var payload: Data?
}

let router = Router()
router.post("/taxon.bench.v1.Echo/Get") { request, context -> EchoReply in
  let echo = try await request.decode(as: EchoRequest.self, context: context)
  return EchoReply(text: echo.text, payload: echo.payload)
}

// hummingbird-server PORT. Main is synchronous: an async one would take part in what is measured.
guard CommandLine.arguments.count == 2, let port = Int(CommandLine.arguments[1]) else {
  // A program for the benchmarks alone, which show what it says.
  fatalError("usage: hummingbird-server PORT")
}
var logger = Logger(label: "hummingbird.bench")
logger.logLevel = .warning
let application = Application(
  router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
  eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)), logger: logger)
let end = DispatchSemaphore(value: 0)
Task.detached {
  do {
    try await application.runService()
  } catch {
    // As above: there is nothing to measure without a server.
    fatalError("\(error)")
  }
  end.signal()
}
end.wait()
