// SPDX-License-Identifier: Apache-2.0

// The whole of a package that uses Taxon; test_greeter.py builds a copy of it outside this repository.
import Foundation
import Taxon

struct Greetings: Greeter.Service {
  func greet(
    _ request: GreetRequest, context: ServerContext
  ) async throws(Greeter.GreetError) -> GreetResponse {
    guard !request.name.isEmpty else { throw .nameless(number: request.number) }
    return GreetResponse(greeting: "Hello, \(request.name)!")
  }
}

try await Server(.init(port: 0), services: [Greetings()]).run { port in
  print("listening on 127.0.0.1:\(port)")
  // Standard output is a pipe here, which is not flushed line by line.
  fflush(nil)
}
