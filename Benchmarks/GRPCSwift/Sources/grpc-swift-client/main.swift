// SPDX-License-Identifier: Apache-2.0
import EchoMessages
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2Posix

// grpc-swift-client PORT CALLS IN-FLIGHT: prints what a call costs this process.
guard CommandLine.arguments.count == 4, let port = Int(CommandLine.arguments[1]),
  let calls = Int(CommandLine.arguments[2]), let inFlight = Int(CommandLine.arguments[3])
else { fatalError("usage: grpc-swift-client PORT CALLS IN-FLIGHT") }

/// CPU time of the process, in seconds.
func cpuTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

let end = DispatchSemaphore(value: 0)
Task.detached {
  do {
    let client = GRPCClient(
      transport: try .http2NIOPosix(
        target: .ipv4(address: "127.0.0.1", port: port), transportSecurity: .plaintext))
    let connections = Task { try await client.runConnections() }
    let echo = Echo.Client(wrapping: client)
    let request = EchoRequest.with { $0.text = "hello world" }
    func make(_ calls: Int) async throws {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<inFlight {
          group.addTask {
            for _ in 0..<calls / inFlight {
              let reply = try await echo.get(request)
              precondition(reply.text == "hello world")
            }
          }
        }
        try await group.waitForAll()
      }
    }
    try await make(max(inFlight, calls / 10))
    let cpu = cpuTime()
    let start = ContinuousClock.now
    try await make(calls)
    let wall = (ContinuousClock.now - start) / .seconds(1)
    let made = Double(calls / inFlight * inFlight)
    print("{\"cpu_us\": \((cpuTime() - cpu) / made * 1e6), \"rps\": \(made / wall)}")
    client.beginGracefulShutdown()
    try await connections.value
  } catch {
    fatalError("\(error)")
  }
  end.signal()
}
end.wait()
