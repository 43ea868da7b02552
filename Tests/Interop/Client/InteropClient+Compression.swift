// SPDX-License-Identifier: Apache-2.0
import Taxon

extension InteropClient {
  private static var compressing: CallOptions {
    var options = options
    options.compression = CompressionSettings(.gzip)
    return options
  }

  func clientCompressedUnary() async throws {
    func call(_ expected: Bool, _ options: CallOptions) async throws(RPCError) -> SimpleResponse {
      var request = Self.largeRequest()
      request.expectCompressed = BoolValue(value: expected)
      return try await test.unaryCall(request, options: options)
    }
    // The server has to find out that the request is not what it says of itself.
    try await checkFails(.invalidArgument) { () async throws(RPCError) in _ = try await call(true, Self.options)
    }
    try checkZeros(try await call(true, Self.compressing).payload, Self.responseSize)
    try checkZeros(try await call(false, Self.options).payload, Self.responseSize)
  }

  func serverCompressedUnary() async throws {
    for compressed in [true, false] {
      let seen = Seen()
      var request = Self.largeRequest()
      request.responseCompressed = BoolValue(value: compressed)
      let response = try await test.unaryCall(request, options: seen.options)
      try check("whether the response is compressed", seen.all, is: [compressed])
      try checkZeros(response.payload, Self.responseSize)
    }
  }

  func clientCompressedStreaming() async throws {
    let first = StreamingInputCallRequest(payload: .zeros(27_182), expectCompressed: BoolValue(value: true))
    let second = StreamingInputCallRequest(payload: .zeros(45_904), expectCompressed: BoolValue(value: false))
    // The server has to find out that the first is not what it says of itself.
    let probe = test.streamingInputCall(options: Self.options)
    try await checkFails(.invalidArgument) { () async throws(RPCError) in
      try await probe.write(first)
      _ = try await probe.response()
    }
    let call = test.streamingInputCall(options: Self.compressing)
    try await call.write(first, compress: true)
    try await call.write(second, compress: false)
    try check("the size", await call.response().aggregatedPayloadSize, is: 73_086)
  }

  func serverCompressedStreaming() async throws {
    let expected = [(true, 31_415), (false, 92_653)]
    let seen = Seen()
    let request = StreamingOutputCallRequest(
      responseParameters: expected.map { compressed, size in
        ResponseParameters(size: Int32(size), compressed: BoolValue(value: compressed))
      })
    var rest = expected[...]
    for try await response in test.streamingOutputCall(request, options: seen.options) {
      guard let (_, size) = rest.popFirst() else { throw Mismatch(description: "there are too many responses") }
      try checkZeros(response.payload, size)
    }
    try check(rest.isEmpty, "\(rest.count) responses are missing")
    try check("whether the responses are compressed", seen.all, is: expected.map { $0.0 })
  }
}

/// Which messages of a call came compressed.
private final class Seen: Sendable {
  private let list = Locked<[Bool]>([])

  var all: [Bool] { list.withLock { $0 } }

  var options: CallOptions {
    var options = InteropClient.options
    options.onMessage = { [list] isCompressed in list.withLock { $0.append(isCompressed) } }
    return options
  }
}
