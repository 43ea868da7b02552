// SPDX-License-Identifier: Apache-2.0
import Taxon

extension InteropClient {
  func clientStreaming() async throws {
    let call = test.streamingInputCall(options: Self.options)
    for size in Self.requestSizes { try await call.write(StreamingInputCallRequest(payload: .zeros(size))) }
    try check("the size", await call.response().aggregatedPayloadSize, is: 74_922)
  }

  func serverStreaming() async throws {
    let request = StreamingOutputCallRequest(
      responseParameters: Self.responseSizes.map { ResponseParameters(size: Int32($0)) })
    var sizes = Self.responseSizes[...]
    for try await response in test.streamingOutputCall(request, options: Self.options) {
      guard let size = sizes.popFirst() else { throw Mismatch(description: "there are too many responses") }
      try checkZeros(response.payload, size)
    }
    try check(sizes.isEmpty, "\(sizes.count) responses are missing")
  }

  func pingPong() async throws {
    let call = test.fullDuplexCall(options: Self.options)
    var responses = call.responses.makeAsyncIterator()
    for (requestSize, responseSize) in zip(Self.requestSizes, Self.responseSizes) {
      try await call.write(Self.outputRequest(responseSize: responseSize, requestSize: requestSize))
      try checkZeros(try await responses.next()?.payload, responseSize)
    }
    call.finish()
    try check(try await responses.next() == nil, "there are too many responses")
  }

  func emptyStream() async throws {
    let call = test.fullDuplexCall(options: Self.options)
    call.finish()
    for try await _ in call.responses { throw Mismatch(description: "there is a response") }
  }

  func cancelAfterBegin() async throws {
    let call = test.streamingInputCall(options: Self.options)
    call.cancel()
    try await checkFails(.cancelled) { () async throws(RPCError) in _ = try await call.response() }
  }

  func cancelAfterFirstResponse() async throws {
    let call = test.fullDuplexCall(options: Self.options)
    var responses = call.responses.makeAsyncIterator()
    try await call.write(Self.outputRequest(responseSize: 31_415, requestSize: 27_182))
    try checkZeros(try await responses.next()?.payload, 31_415)
    call.cancel()
    try await checkFails(.cancelled) { () async throws(RPCError) in _ = try await responses.next() }
  }

  func timeoutOnSleepingServer() async throws {
    let call = test.fullDuplexCall(options: CallOptions(timeout: .milliseconds(1)))
    try await checkFails(.deadlineExceeded) { () async throws(RPCError) in
      // The time may be over before the request is sent, or while the answer is waited for.
      try await call.write(StreamingOutputCallRequest(payload: .zeros(27_182)))
      for try await _ in call.responses {}
    }
  }
}
