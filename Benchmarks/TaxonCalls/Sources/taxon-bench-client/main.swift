// SPDX-License-Identifier: Apache-2.0
import EchoSchema
import Foundation
import Taxon

// taxon-bench-client PORT CALLS IN-FLIGHT: prints what a call costs this process.
// taxon-bench-client PORT check: fails unless the server answers as the schema says.

/// CPU time of the process, in seconds.
func cpuTime() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

struct Wrong: Error {
  var what: String
}

/// Calls every method once, and looks at what comes.
func check(_ echo: Echo.Client) async throws {
  let payload = [UInt8](repeating: 7, count: 16 * 1024)
  let reply = try await echo.get(EchoRequest(text: "hello world", payload: payload))
  guard reply.text == "hello world", reply.payload == payload else { throw Wrong(what: "Get answers \(reply)") }
  do {
    _ = try await echo.refuse(EchoRequest(text: "hello world"))
    throw Wrong(what: "Refuse does not fail")
  } catch let error as Echo.RefuseError {
    guard error.status == .failedPrecondition, error.message == "The text hello world is refused" else {
      throw Wrong(what: "Refuse answers \(error)")
    }
  }
  var replies = 0
  for try await reply in echo.watch(EchoRequest(text: "hello world", replies: 1000)) {
    guard reply.text == "hello world" else { throw Wrong(what: "Watch answers \(reply)") }
    replies += 1
  }
  guard replies == 1000 else { throw Wrong(what: "Watch answers \(replies) messages") }
}

/// Makes calls, so many of them at a time.
func make(_ calls: Int, inFlight: Int, _ echo: Echo.Client) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for _ in 0..<inFlight {
      group.addTask {
        for _ in 0..<calls / inFlight {
          let reply = try await echo.get(EchoRequest(text: "hello world"))
          precondition(reply.text == "hello world")
        }
      }
    }
    try await group.waitForAll()
  }
}

let arguments = CommandLine.arguments.dropFirst()
let end = DispatchSemaphore(value: 0)
Task.detached {
  do {
    guard let port = arguments.first else { throw Wrong(what: "usage: taxon-bench-client PORT check|CALLS IN-FLIGHT") }
    let echo = Echo.Client(try Channel("ipv4:127.0.0.1:\(port)"))
    if arguments.dropFirst().first == "check" {
      try await check(echo)
    } else {
      guard arguments.count == 3, let calls = Int(arguments[2]), let inFlight = Int(arguments[3]) else {
        throw Wrong(what: "usage: taxon-bench-client PORT check|CALLS IN-FLIGHT")
      }
      try await make(max(inFlight, calls / 10), inFlight: inFlight, echo)
      let cpu = cpuTime()
      let start = ContinuousClock.now
      try await make(calls, inFlight: inFlight, echo)
      let wall = (ContinuousClock.now - start) / .seconds(1)
      let made = Double(calls / inFlight * inFlight)
      print("{\"cpu_us\": \((cpuTime() - cpu) / made * 1e6), \"rps\": \(made / wall)}")
    }
  } catch {
    print("taxon-bench-client: \(error)")
    exit(1)
  }
  end.signal()
}
end.wait()
