// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Logging
import Taxon

/// Makes many calls, for tests that put something between client and server, or take servers away.
struct LoadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load", abstract: "Make unary calls, several at a time, and say what became of them.",
    discussion: """
      Prints one line of JSON, {"calls", "ok", "failed", "messages", "attempts", "breaker", "slowest_ms", "seconds"}: what \
      failed by error code, the first messages of each, failed attempts by code and decision, and each transition of a \
      breaker by how often it came. Progress goes to stderr: "sent N" at each hundred.
      """)

  @Argument(help: "The target, such as ipv4:127.0.0.1:50051; with commas between them, several addresses.")
  var target: String
  @Option(help: "How many calls.") var calls = 1000
  @Option(help: "How many of them at a time.") var concurrency = 16
  @Flag(name: .customLong("until_eof"), help: "Go on, after that many calls, until standard input ends.")
  var untilEOF = false
  @Flag(name: .customLong("round_robin"), help: "A connection to each address, instead of one to the first.")
  var roundRobin = false
  @Option(name: .customLong("request_size"), help: "Bytes of a request's payload; 0 calls EmptyCall.")
  var requestSize = 0
  @Option(name: .customLong("response_size"), help: "Bytes of a reply's payload, of calls that are not empty.")
  var responseSize = 0
  @Flag(help: "Call failing.Failing/Unary, which is idempotent, and repeat nothing: what is between does.")
  var idempotent = false
  @Option(help: "Seconds that a call may take.") var timeout = 20.0
  @Flag(help: "Log at level debug, to stderr.") var debug = false

  func run() throws {
    let ended = Locked(!untilEOF)
    if untilEOF {
      Thread.detachNewThread {
        while readLine() != nil {}
        ended.withLock { $0 = true }
      }
    }
    try waiting { try await load { ended.withLock { $0 } } }
  }

  private func load(_ mayEnd: @escaping @Sendable () -> Bool) async throws {
    let report = Report()
    var configuration = Channel.Configuration()
    configuration.balancing = roundRobin ? .roundRobin : .pickFirst
    configuration.observer = { report.note($0) }
    if idempotent { configuration.policy = .none }
    if debug {
      configuration.logger = Logger(label: "load") { StreamLogHandler.standardError(label: $0) }
      configuration.logger.logLevel = .debug
    }
    let channel = try Channel(target, configuration: configuration)
    defer { channel.shutDown() }
    let client = TestService.Client(channel)
    let idempotentClient = Failing.Client(channel)
    let start = ContinuousClock.now
    await withTaskGroup { group in
      for _ in 0..<concurrency {
        group.addTask {
          while report.begin(atLeast: calls, mayEnd: mayEnd) {
            let begin = ContinuousClock.now
            do throws(RPCError) {
              if idempotent { try await call(idempotentClient) } else { try await call(client) }
              report.succeeded(after: .now - begin)
            } catch {
              report.failed(error, after: .now - begin)
              // Calls that fail at once would keep the machine busy with nothing else.
              try? await Task.sleep(for: .milliseconds(10))
            }
          }
        }
      }
    }
    print(try report.line(seconds: (.now - start) / .seconds(1)))
  }

  private func call(_ client: Failing.Client) async throws(RPCError) {
    do {
      _ = try await client.unary(Ending(), options: CallOptions(timeout: .seconds(timeout)))
    } catch {
      throw .lift(error)
    }
  }

  private func call(_ client: TestService.Client) async throws(RPCError) {
    let options = CallOptions(timeout: .seconds(timeout))
    if requestSize == 0 && responseSize == 0 {
      _ = try await client.emptyCall(Empty(), options: options)
    } else {
      let request = SimpleRequest(responseSize: Int32(responseSize), payload: .zeros(requestSize))
      let response = try await client.unaryCall(request, options: options)
      guard response.payload?.body.count ?? 0 == responseSize else {
        throw RPCError(.dataLoss, "The reply has \(response.payload?.body.count ?? 0) bytes")
      }
    }
  }
}

/// What became of the calls so far.
private final class Report: Sendable {
  private struct Numbers {
    var begun = 0
    var ok = 0
    var failed: [String: Int] = [:]
    var messages: [String: [String]] = [:]
    var attempts: [String: Int] = [:]
    var breaker: [String: Int] = [:]
    var slowest = Duration.zero
  }

  private let numbers = Locked(Numbers())
  private static let keptMessages = 5

  /// False when there have been enough.
  func begin(atLeast calls: Int, mayEnd: () -> Bool) -> Bool {
    let begun = numbers.withLock { numbers -> Int? in
      if numbers.begun >= calls && mayEnd() { return nil }
      numbers.begun += 1
      return numbers.begun
    }
    guard let begun else { return false }
    if begun % 100 == 0 { FileHandle.standardError.write(Data("sent \(begun)\n".utf8)) }
    return true
  }

  func succeeded(after time: Duration) {
    numbers.withLock { numbers in
      numbers.ok += 1
      numbers.slowest = max(numbers.slowest, time)
    }
  }

  func failed(_ error: RPCError, after time: Duration) {
    numbers.withLock { numbers in
      numbers.failed[error.code, default: 0] += 1
      if numbers.messages[error.code, default: []].count < Self.keptMessages {
        numbers.messages[error.code, default: []].append(error.message)
      }
      numbers.slowest = max(numbers.slowest, time)
    }
  }

  func note(_ event: CallEvent) {
    numbers.withLock { numbers in
      switch event {
      case .attemptFailed(_, _, let error, let decision):
        let outcome = if case .retry(_, let reason) = decision { "retry, \(reason)" } else { "stop" }
        numbers.attempts["\(error.code): \(outcome)", default: 0] += 1
      case .breaker(let transition):
        numbers.breaker["\(transition.endpoint): \(transition.from) → \(transition.to)", default: 0] += 1
      }
    }
  }

  func line(seconds: Double) throws -> String {
    let numbers = numbers.withLock { $0 }
    let object: [String: Any] = [
      "calls": numbers.begun, "ok": numbers.ok, "failed": numbers.failed, "messages": numbers.messages,
      "attempts": numbers.attempts, "breaker": numbers.breaker,
      "slowest_ms": Int(numbers.slowest / .milliseconds(1)), "seconds": (seconds * 1000).rounded() / 1000,
    ]
    return String(decoding: try JSONSerialization.data(withJSONObject: object, options: .sortedKeys), as: UTF8.self)
  }
}
