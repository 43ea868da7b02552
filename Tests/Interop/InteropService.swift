// SPDX-License-Identifier: Apache-2.0
import Taxon

/// The server of gRPC's interoperability tests (grpc/grpc, doc/interop-test-descriptions.md, "Server features").
struct InteropService: TestService.Service {
  func emptyCall(_ request: Empty, context: ServerContext) async throws -> Empty { Empty() }

  func unaryCall(_ request: SimpleRequest, context: ServerContext) async throws -> SimpleResponse {
    context.echoMetadata()
    try context.check(request.expectCompressed)
    try request.responseStatus.raise()
    context.compressesReply = request.responseCompressed?.value
    return SimpleResponse(payload: try .ofSize(request.responseSize))
  }

  func cacheableUnaryCall(_ request: SimpleRequest, context: ServerContext) async throws -> SimpleResponse {
    try await unaryCall(request, context: context)
  }

  func streamingOutputCall(
    _ request: StreamingOutputCallRequest, responses: ResponseWriter<StreamingOutputCallResponse, RPCError>,
    context: ServerContext
  ) async throws {
    context.echoMetadata()
    context.compressesReply = request.responseParameters.contains { $0.compressed?.value == true }
    context.sendHeaders()
    try await answer(request, responses)
    try request.responseStatus.raise()
  }

  func streamingInputCall(
    _ requests: RequestStream<StreamingInputCallRequest, RPCError>, context: ServerContext
  ) async throws -> StreamingInputCallResponse {
    context.echoMetadata()
    context.sendHeaders()
    var size = 0
    for try await request in requests {
      try context.check(request.expectCompressed)
      size += request.payload?.body.count ?? 0
    }
    return StreamingInputCallResponse(aggregatedPayloadSize: Int32(clamping: size))
  }

  func fullDuplexCall(
    _ requests: RequestStream<StreamingOutputCallRequest, RPCError>,
    responses: ResponseWriter<StreamingOutputCallResponse, RPCError>, context: ServerContext
  ) async throws {
    context.echoMetadata()
    // It is not known yet whether a request will ask for it.
    context.compressesReply = true
    context.sendHeaders()
    for try await request in requests {
      try request.responseStatus.raise()
      try await answer(request, responses)
    }
  }

  func halfDuplexCall(
    _ requests: RequestStream<StreamingOutputCallRequest, RPCError>,
    responses: ResponseWriter<StreamingOutputCallResponse, RPCError>, context: ServerContext
  ) async throws {
    context.echoMetadata()
    context.compressesReply = true
    var all: [StreamingOutputCallRequest] = []
    for try await request in requests {
      guard all.count < 1000 else { throw RPCError(.resourceExhausted, "More than 1,000 requests in a call") }
      all.append(request)
    }
    for request in all {
      try request.responseStatus.raise()
      try await answer(request, responses)
    }
  }

  func unimplementedCall(_ request: Empty, context: ServerContext) async throws -> Empty {
    throw RPCError(.unimplemented, "The tests want a method that is not implemented")
  }

  private func answer(
    _ request: StreamingOutputCallRequest, _ responses: ResponseWriter<StreamingOutputCallResponse, RPCError>
  ) async throws {
    for parameters in request.responseParameters {
      if parameters.intervalUs > 0 { try await Task.sleep(for: .microseconds(parameters.intervalUs)) }
      let response = StreamingOutputCallResponse(payload: try .ofSize(parameters.size))
      try await responses.write(response, compress: parameters.compressed?.value ?? false)
    }
  }
}

extension ServerContext {
  /// Sends back what the tests send to see it again.
  fileprivate func echoMetadata() {
    for value in metadata.values(EchoMetadata.initial) { initialMetadata.add(EchoMetadata.initial, value) }
    for value in metadata.bytes(EchoMetadata.trailing) { trailingMetadata.add(EchoMetadata.trailing, bytes: value) }
  }

  /// Refuses a message that is compressed and says it is not, or the other way round.
  fileprivate func check(_ expected: BoolValue?) throws(RPCError) {
    guard let expected, expected.value != isRequestCompressed else { return }
    throw RPCError(
      .invalidArgument, expected.value ? "The request is not compressed" : "The request is compressed")
  }
}

extension EchoStatus? {
  /// Ends the call as it asks for.
  fileprivate func raise() throws(RPCError) {
    guard let self, self.code != 0 else { return }
    throw RPCError(StatusCode(rawValue: self.code) ?? .unknown, self.message)
  }
}

extension Payload {
  /// Zeros, at most 16 MiB of them.
  fileprivate static func ofSize(_ size: Int32) throws(RPCError) -> Payload {
    guard size >= 0 else { throw RPCError(.invalidArgument, "A payload cannot have \(size) bytes") }
    guard size <= 16 << 20 else { throw RPCError(.resourceExhausted, "A payload has at most 16 MiB here") }
    return .zeros(Int(size))
  }
}
