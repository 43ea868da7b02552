// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Taxon

/// Makes calls that fail, and says what arrived.
struct FailCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fail", abstract: "Make a call of failing.Failing for each line of standard input.",
    discussion: """
      A line is {"kind", "ending"}: the method's name, and its request as protobuf's JSON. For each, one line of JSON says \
      what the call ended in: {"replies", "code", "domain", "status", "message", "retry", "breaker", "retry_after", \
      "metadata", "payload", "details"}, with the payload as text, and with the further details by their types' names, as \
      protobuf's JSON; "code" is null where the call succeeded, which has "process" and "attempts" instead.
      """)

  @Argument(help: "The target, such as ipv4:127.0.0.1:50051.") var target: String
  @Option(help: "How many attempts a call may have.") var attempts = 1

  func run() throws { try waiting { try await answerLines() } }

  private func answerLines() async throws {
    var policy = CallPolicy.none
    if attempts > 1 { policy.retry = RetryPolicy(maxRetries: attempts - 1) }
    let channel = try Channel(target, policy: policy)
    defer { channel.shutDown() }
    let caller = FailingCaller(client: Failing.Client(channel))
    while let line = readLine() {
      let input = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let kind = input?["kind"] as? String, let request = input?["ending"] else {
        throw Mismatch(description: "no call: \(line)")
      }
      let json = try JSONSerialization.data(withJSONObject: request)
      let outcome = await caller.call(kind, try Ending(json: String(decoding: json, as: UTF8.self)))
      print(String(decoding: try JSONSerialization.data(withJSONObject: outcome, options: .sortedKeys), as: UTF8.self))
      fflush(nil)
    }
  }
}

/// Calls and says how it went.
private struct FailingCaller {
  let client: Failing.Client

  func call(_ kind: String, _ ending: Ending) async -> [String: Any] {
    var replies = 0
    var last: Reply?
    do {
      let options = CallOptions(timeout: .seconds(20))
      switch kind {
      case "ServerStream":
        for try await reply in client.serverStream(ending, options: options) { (replies, last) = (replies + 1, reply) }
      case "ClientStream":
        let call = client.clientStream(options: options)
        try await call.write(ending)
        last = try await call.response()
      case "Bidirectional":
        let call = client.bidirectional(options: options)
        try await call.write(ending)
        call.finish()
        for try await reply in call.responses { (replies, last) = (replies + 1, reply) }
      default: last = try await client.unary(ending, options: options)
      }
    } catch let error as any TaxonomyError {
      return Self.describe(error).merging(["replies": replies]) { $1 }
    } catch {
      return ["code": "\(error)", "replies": replies]
    }
    return [
      "code": NSNull(), "replies": replies, "process": Int(last?.process ?? 0), "attempts": Int(last?.attempts ?? 0),
    ]
  }

  private static func describe(_ error: any TaxonomyError) -> [String: Any] {
    var details: [String: Any] = [:]
    if let debug = error.details.debugInfo { details["google.rpc.DebugInfo"] = debug.detail }
    if let request = error.details.requestInfo { details["google.rpc.RequestInfo"] = request.servingData }
    return [
      "code": error.code, "domain": error.domain, "status": "\(error.status.rawValue)", "message": error.message,
      "retry": "\(error.retry)", "breaker": "\(error.breaker)",
      "retry_after": error.retryAfter.map { $0 / .seconds(1) } ?? NSNull(), "metadata": error.metadata,
      "payload": String(decoding: error.payload, as: UTF8.self), "details": details,
    ]
  }
}

extension TaxonomyError {
  /// Of the error that is declared; empty where only its identity came.
  fileprivate var payload: [UInt8] {
    if let error = self.as(Failure.Missing.self) { return error.payload }
    if let error = self.as(Failure.Unready.self) { return error.payload }
    if let error = self.as(Failure.Broken.self) { return error.payload }
    if let error = self.as(Failure.Down.self) { return error.payload }
    if let error = self.as(Failure.TooMuch.self) { return error.payload }
    return []
  }
}
