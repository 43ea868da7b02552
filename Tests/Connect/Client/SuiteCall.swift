// SPDX-License-Identifier: Apache-2.0
import Taxon

/// One call as the suite asks for it, and what became of it.
struct SuiteCall {
  /// The suite asks for something that there is not.
  struct Unknown: Error, CustomStringConvertible {
    let description: String
  }

  private let request: SuiteClientCompatRequest
  private let client: SuiteConformanceService.Client
  private let options: CallOptions
  private let record = Record()

  init(_ request: SuiteClientCompatRequest, by channel: Channel) throws {
    self.request = request
    client = SuiteConformanceService.Client(channel)
    var options = CallOptions(
      timeout: request.timeoutMs.map { .milliseconds($0) }, metadata: Metadata(request.requestHeaders))
    options.compression = try request.compression.settings
    options.onInitialMetadata = record.head
    options.onMetadata = record.end
    self.options = options
  }

  /// Makes the call.
  ///
  /// - Throws: Only what keeps it from being made at all.
  func run() async throws -> SuiteClientResponseResult {
    do {
      switch request.method {
      case "Unary": try await unary(client.unary)
      case "IdempotentUnary": try await unary(client.idempotentUnary)
      case "Unimplemented": try await unary(client.unimplemented)
      case "ServerStream": try await serverStream()
      case "ClientStream": try await clientStream()
      case "BidiStream": try await bidiStream()
      default: throw Unknown(description: "There is no method \(request.method ?? "")")
      }
    } catch let error as RPCError {
      record.fail(error)
    }
    return record.result
  }

  private func unary<Request: Message, Response: SuiteResponse>(
    _ method: @escaping @Sendable (Request, CallOptions) async throws(RPCError) -> Response
  ) async throws {
    let message: Request = try onlyMessage()
    let call = Task { [options] in try await method(message, options) }
    try await cancelling(call.cancel) { receive(try await call.value) }
  }

  private func serverStream() async throws {
    let responses = client.serverStream(try onlyMessage(), options: options)
    try await cancelling(responses.cancel) {
      for try await response in responses { receive(response, cancel: responses.cancel) }
    }
  }

  private func clientStream() async throws {
    let call = client.clientStream(options: options)
    for message: SuiteClientStreamRequest in try messages() {
      try await pause()
      try await call.write(message)
      record.sent()
    }
    if case .beforeCloseSend = request.cancel?.cancelTiming { call.cancel() }
    try await cancelling(call.cancel) { receive(try await call.response()) }
  }

  private func bidiStream() async throws {
    let call = client.bidiStream(options: options)
    var responses = call.responses.makeAsyncIterator()
    for message: SuiteBidiStreamRequest in try messages() {
      try await pause()
      try await call.write(message)
      record.sent()
      if request.streamType == .fullDuplexBidiStream {
        guard let response = try await responses.next() else { return }
        receive(response, cancel: call.cancel)
      }
    }
    if case .beforeCloseSend = request.cancel?.cancelTiming { call.cancel() }
    call.finish()
    try await cancelling(call.cancel) {
      while let response = try await responses.next() { receive(response, cancel: call.cancel) }
    }
  }

  /// The message of a request that has one.
  private func onlyMessage<M: Message>() throws -> M {
    guard request.requestMessages.count == 1 else {
      throw Unknown(description: "The method takes one message, not \(request.requestMessages.count)")
    }
    return try message(request.requestMessages[0])
  }

  /// The messages of a request that is a stream. None has been sent yet.
  private func messages<M: Message>() throws -> [M] {
    let messages: [M] = try request.requestMessages.map(message)
    record.unsent(messages.count)
    return messages
  }

  private func message<M: Message>(_ packed: Google_Protobuf_Any) throws -> M {
    guard let message: M = try packed.unpacked() else {
      throw Unknown(description: "The method takes a \(M.descriptor.name), not a \(packed.messageName)")
    }
    return message
  }

  private func pause() async throws { try await Task.sleep(for: .milliseconds(request.requestDelayMs)) }

  private func receive(_ response: some SuiteResponse, cancel: () -> Void = {}) {
    let count = record.receive(response.payload ?? SuiteConformancePayload())
    if case .afterNumResponses(let wanted) = request.cancel?.cancelTiming, count == wanted { cancel() }
  }

  /// Waits for the rest of a call whose requests are all sent, and gives the call up when it is time for that.
  private func cancelling(_ cancel: @escaping @Sendable () -> Void, _ body: () async throws -> Void) async throws {
    var timer: Task<Void, any Error>?
    if let delay = request.cancel?.delay {
      timer = Task {
        try await Task.sleep(for: delay)
        cancel()
      }
    }
    defer { timer?.cancel() }
    try await body()
  }
}

extension SuiteClientCompatRequest.Cancel {
  /// How long after all is sent the call is given up; nil when something else gives it up.
  fileprivate var delay: Duration? {
    switch cancelTiming {
    case nil: .zero
    case .afterCloseSendMs(let milliseconds): .milliseconds(milliseconds)
    case .beforeCloseSend, .afterNumResponses: nil
    }
  }
}

extension SuiteCompression {
  /// How requests are compressed, small ones too.
  fileprivate var settings: CompressionSettings? {
    get throws {
      switch self {
      case .unspecified, .identity: nil
      case .gzip: CompressionSettings(.gzip, minimumSize: 0)
      case .deflate: CompressionSettings(.deflate, minimumSize: 0)
      default: throw SuiteCall.Unknown(description: "There is no compression \(self)")
      }
    }
  }
}

/// An answer of any of the methods.
protocol SuiteResponse: Message {
  var payload: SuiteConformancePayload? { get }
}

extension SuiteUnaryResponse: SuiteResponse {}
extension SuiteIdempotentUnaryResponse: SuiteResponse {}
extension SuiteServerStreamResponse: SuiteResponse {}
extension SuiteClientStreamResponse: SuiteResponse {}
extension SuiteBidiStreamResponse: SuiteResponse {}
extension SuiteUnimplementedResponse: SuiteResponse {
  var payload: SuiteConformancePayload? { nil }
}
