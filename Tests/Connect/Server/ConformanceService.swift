// SPDX-License-Identifier: Apache-2.0
import Taxon

/// The server of the Connect suite: answers as each request asks for, and tells what came with the request. Compresses all
/// that a caller lets it compress. The suite wants `Unimplemented` left out.
struct ConformanceService: SuiteConformanceService.PartialService {
  func unary(_ request: SuiteUnaryRequest, context: ServerContext) async throws -> SuiteUnaryResponse {
    SuiteUnaryResponse(payload: try await context.answer(request.responseDefinition, to: [request]))
  }

  func idempotentUnary(
    _ request: SuiteIdempotentUnaryRequest, context: ServerContext
  ) async throws -> SuiteIdempotentUnaryResponse {
    SuiteIdempotentUnaryResponse(payload: try await context.answer(request.responseDefinition, to: [request]))
  }

  func clientStream(
    _ requests: RequestStream<SuiteClientStreamRequest, RPCError>, context: ServerContext
  ) async throws -> SuiteClientStreamResponse {
    var all: [SuiteClientStreamRequest] = []
    for try await request in requests { all.append(request) }
    return SuiteClientStreamResponse(payload: try await context.answer(all.first?.responseDefinition, to: all))
  }

  func serverStream(
    _ request: SuiteServerStreamRequest, responses: ResponseWriter<SuiteServerStreamResponse, RPCError>,
    context: ServerContext
  ) async throws {
    var answers = StreamAnswers(request.responseDefinition ?? SuiteStreamResponseDefinition(), context)
    try answers.receive(request)
    while let payload = try await answers.next() {
      try await responses.write(SuiteServerStreamResponse(payload: payload), compress: true)
    }
    try answers.end()
  }

  func bidiStream(
    _ requests: RequestStream<SuiteBidiStreamRequest, RPCError>,
    responses: ResponseWriter<SuiteBidiStreamResponse, RPCError>, context: ServerContext
  ) async throws {
    var requests = requests.makeAsyncIterator()
    guard let first = try await requests.next() else { return }
    var answers = StreamAnswers(first.responseDefinition ?? SuiteStreamResponseDefinition(), context)
    var request: SuiteBidiStreamRequest? = first
    while let received = request {
      try answers.receive(received)
      if first.fullDuplex {
        // A request without an answer of its own ends the call.
        guard let payload = try await answers.next() else { break }
        try await responses.write(SuiteBidiStreamResponse(payload: payload), compress: true)
      }
      request = try await requests.next()
    }
    while let payload = try await answers.next() {
      try await responses.write(SuiteBidiStreamResponse(payload: payload), compress: true)
    }
    try answers.end()
  }
}
