// SPDX-License-Identifier: Apache-2.0
import Taxon

extension InteropClient {
  func emptyUnary() async throws {
    try check("the response", await test.emptyCall(Empty(), options: Self.options), is: Empty())
  }

  func largeUnary() async throws {
    let response = try await test.unaryCall(Self.largeRequest(), options: Self.options)
    try checkZeros(response.payload, Self.responseSize)
  }

  func statusCodeAndMessage() async throws {
    let status = EchoStatus(code: 2, message: "test status message")
    try await checkFails(.unknown, status.message) { () async throws(RPCError) in
      _ = try await test.unaryCall(SimpleRequest(responseStatus: status), options: Self.options)
    }
    let call = test.fullDuplexCall(options: Self.options)
    try await checkFails(.unknown, status.message) { () async throws(RPCError) in
      try await call.write(StreamingOutputCallRequest(responseStatus: status))
      call.finish()
      for try await _ in call.responses {}
    }
  }

  func specialStatusMessage() async throws {
    let text = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    try await checkFails(.unknown, text) { () async throws(RPCError) in
      let status = EchoStatus(code: 2, message: text)
      _ = try await test.unaryCall(SimpleRequest(responseStatus: status), options: Self.options)
    }
  }

  func unimplementedMethod() async throws {
    try await checkFails(.unimplemented) { () async throws(RPCError) in
      _ = try await test.unimplementedCall(Empty(), options: Self.options)
    }
  }

  func unimplementedService() async throws {
    try await checkFails(.unimplemented) { () async throws(RPCError) in
      _ = try await unimplemented.unimplementedCall(Empty(), options: Self.options)
    }
  }
}
