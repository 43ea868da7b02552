// SPDX-License-Identifier: Apache-2.0
import Taxon

/// The four kinds of methods.
enum Kind: String, CaseIterable, Sendable {
  case unary = "Unary"
  case serverStreaming = "ServerStreaming"
  case clientStreaming = "ClientStreaming"
  case bidirectional = "Bidirectional"

  var method: TextService.Method { method(.noSideEffects) }

  func method(_ idempotency: Idempotency) -> TextService.Method {
    TextService.Method(service: KindsService.serviceName, method: rawValue, idempotency: idempotency)
  }

  /// What a call sends: two messages where there can be two.
  var requests: [String] { sendsManyRequests ? ["one", "two"] : ["one"] }
  /// What the service answers to that.
  var responses: [String] { self == .clientStreaming ? ["ONETWO"] : requests.map { $0.uppercased() } }
  var sendsManyRequests: Bool { self == .clientStreaming || self == .bidirectional }
}

/// A method of each kind that answers with what it gets in capitals, or fails when `failing` says so.
struct KindsService: RPCService {
  static let serviceName = "test.Kinds"
  typealias Text = TextService.Text

  /// Asked after all messages are read and written.
  var failing: @Sendable (ServerContext) throws -> Void = { _ in }

  func register(in registry: inout ServiceRegistry) {
    registry.add(Kind.unary.method) { request, context async throws(ConnectionError) in
      try fail(context)
      return Text(value: request.value.uppercased())
    }
    registry.add(serverStreaming: Kind.serverStreaming.method) {
      (request, responses, context) async throws(ConnectionError) in
      try await responses.write(Text(value: request.value.uppercased()))
      try fail(context)
    }
    registry.add(clientStreaming: Kind.clientStreaming.method) { (requests, context) async throws(ConnectionError) in
      var all = ""
      for try await request in requests { all += request.value.uppercased() }
      try fail(context)
      return Text(value: all)
    }
    registry.add(bidirectional: Kind.bidirectional.method) {
      (requests, responses, context) async throws(ConnectionError) in
      for try await request in requests { try await responses.write(Text(value: request.value.uppercased())) }
      try fail(context)
    }
  }

  private func fail(_ context: ServerContext) throws(ConnectionError) {
    do { try failing(context) } catch { throw ConnectionError.lift(error) }
  }
}

extension Channel {
  /// Calls a method of the service with the messages of its kind; what it answers.
  func call(
    _ kind: Kind, idempotency: Idempotency = .noSideEffects, options: CallOptions = CallOptions()
  ) async throws(ConnectionError) -> [String] {
    let method = kind.method(idempotency)
    let requests = kind.requests.map { KindsService.Text(value: $0) }
    var answers: [String] = []
    switch kind {
    case .unary: answers.append(try await unary(method, requests[0], options: options).value)
    case .serverStreaming:
      for try await answer in serverStreaming(method, requests[0], options: options) {
        answers.append(answer.value)
      }
    case .clientStreaming:
      let call = clientStreaming(method, options: options)
      try await call.write(contentsOf: requests)
      answers.append(try await call.response().value)
    case .bidirectional:
      let call = bidirectional(method, options: options)
      try await call.write(contentsOf: requests)
      call.finish()
      for try await answer in call.responses { answers.append(answer.value) }
    }
    return answers
  }
}
