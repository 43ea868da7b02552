// SPDX-License-Identifier: Apache-2.0
import Taxon

extension InteropClient {
  func customMetadata() async throws {
    let value = "test_initial_metadata_value"
    let bytes: [UInt8] = [0xab, 0xab, 0xab]
    let received = Received()
    var options = Self.options
    options.metadata = [EchoMetadata.initial: value, EchoMetadata.trailing: bytes]
    options.onMetadata = received.set

    func checkMetadata() async throws {
      let (initial, trailing) = await received.next()
      try check("the initial metadata", initial.values(EchoMetadata.initial), is: [value])
      try check("the trailing metadata", trailing.bytes(EchoMetadata.trailing), is: [bytes])
    }

    let response = try await test.unaryCall(Self.largeRequest(), options: options)
    try checkZeros(response.payload, Self.responseSize)
    try await checkMetadata()

    let call = test.fullDuplexCall(options: options)
    try await call.write(Self.outputRequest(responseSize: Self.responseSize, requestSize: Self.requestSize))
    call.finish()
    for try await response in call.responses { try checkZeros(response.payload, Self.responseSize) }
    try await checkMetadata()
  }
}

/// The metadata of calls, in the order in which they ended.
private struct Received {
  let set: @Sendable (Metadata, Metadata) -> Void
  private let stream: AsyncStream<(Metadata, Metadata)>

  init() {
    let (stream, continuation) = AsyncStream.makeStream(of: (Metadata, Metadata).self)
    self.stream = stream
    set = { initial, trailing in continuation.yield((initial, trailing)) }
  }

  func next() async -> (Metadata, Metadata) {
    var iterator = stream.makeAsyncIterator()
    return await iterator.next() ?? (Metadata(), Metadata())
  }
}
