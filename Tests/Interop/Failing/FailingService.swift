// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon

/// Ends calls as they ask for.
final class FailingService: Failing.Service {
  private let health: HealthService
  private let attempts = Locked<[String: Int32]>([:])

  /// `health` is what `SetServing` changes.
  init(health: HealthService) {
    self.health = health
  }

  func unary(_ request: Ending, context: ServerContext) async throws(Failing.UnaryError) -> Reply {
    switch end(request, context) {
    case .reply(let reply): return reply
    case .error(let error): throw .lift(error)
    }
  }

  func serverStream(
    _ request: Ending, responses: ResponseWriter<Reply, Failing.ServerStreamError>, context: ServerContext
  ) async throws(Failing.ServerStreamError) {
    for _ in 0..<request.replies { try await responses.write(reply()) }
    if case .error(let error) = end(request, context) { throw .lift(error) }
  }

  func clientStream(
    _ requests: RequestStream<Ending, Failing.ClientStreamError>, context: ServerContext
  ) async throws(Failing.ClientStreamError) -> Reply {
    var first: Ending?
    for try await request in requests where first == nil { first = request }
    switch end(first ?? Ending(), context) {
    case .reply(let reply): return reply
    case .error(let error): throw .lift(error)
    }
  }

  func bidirectional(
    _ requests: RequestStream<Ending, Failing.BidirectionalError>,
    responses: ResponseWriter<Reply, Failing.BidirectionalError>, context: ServerContext
  ) async throws(Failing.BidirectionalError) {
    var first: Ending?
    for try await request in requests where first == nil { first = request }
    let request = first ?? Ending()
    for _ in 0..<request.replies { try await responses.write(reply()) }
    if case .error(let error) = end(request, context) { throw .lift(error) }
  }

  func setServing(_ request: Serving, context: ServerContext) async throws(Failing.SetServingError) -> Reply {
    health.set(request.isServing ? .serving : .notServing)
    return reply()
  }

  private func reply(attempts: Int32 = 1) -> Reply {
    Reply(process: ProcessInfo.processInfo.processIdentifier, attempts: attempts)
  }

  private enum End {
    case reply(Reply)
    case error(any DeclaredError)
  }

  private func end(_ ending: Ending, _ context: ServerContext) -> End {
    let attempts = attempts.withLock { attempts in
      guard !ending.key.isEmpty else { return Int32(1) }
      attempts[ending.key, default: 0] += 1
      return attempts[ending.key, default: 0]
    }
    if ending.trailing > 0 { context.trailingMetadata.add("x-filler", Filler.text(ending.trailing)) }
    let isElsewhere = ending.process != 0 && ending.process != ProcessInfo.processInfo.processIdentifier
    if isElsewhere { return .reply(reply(attempts: attempts)) }
    if ending.times > 0, attempts > ending.times { return .reply(reply(attempts: attempts)) }
    guard let error = ending.error else { return .reply(reply(attempts: attempts)) }
    return .error(error)
  }
}

extension Ending {
  /// The error that it asks for; nil for none.
  fileprivate var error: (any DeclaredError)? {
    let (text, note, payload) = (Filler.text(text), Filler.text(note), Array(Filler.text(payload).utf8))
    switch code {
    case Failure.Missing.declaration.code: return sized(Failure.Missing(text: text, note: note, payload: payload))
    case Failure.Unready.declaration.code: return sized(Failure.Unready(text: text, note: note, payload: payload))
    case Failure.Broken.declaration.code: return sized(Failure.Broken(text: text, note: note, payload: payload))
    case Failure.Down.declaration.code: return sized(Failure.Down(text: text, note: note, payload: payload))
    case Failure.TooMuch.declaration.code: return sized(Failure.TooMuch(text: text, note: note, payload: payload))
    default: return nil
    }
  }

  private func sized(_ error: some DeclaredError) -> any DeclaredError {
    var error = error
    if details > 0 {
      error.context.details[Google_Rpc_DebugInfo.self] = Google_Rpc_DebugInfo(detail: Filler.text(details / 2))
      error.context.details.requestInfo = Google_Rpc_RequestInfo(servingData: Filler.text(details - details / 2))
    }
    if let retryAfter { error.context.retryAfter = Duration(retryAfter) }
    return error
  }
}

/// Text of any length that says at each place where it is, so that a part that is missing is seen.
enum Filler {
  /// At most 1 MiB of it.
  static func text(_ count: Int32) -> String {
    var bytes: [UInt8] = []
    for index in 0..<max(0, min(Int(count), 1 << 20)) {
      let letter = (index + index / 26) % 26
      bytes.append(UInt8(ascii: "a") + UInt8(letter))
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
