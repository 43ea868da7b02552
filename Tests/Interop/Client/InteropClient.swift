// SPDX-License-Identifier: Apache-2.0
import Taxon

/// The client of gRPC's interoperability tests (grpc/grpc, doc/interop-test-descriptions.md).
struct InteropClient: Sendable {
  let test: TestService.Client
  let unimplemented: UnimplementedService.Client

  /// The sizes of the tests, in bytes.
  static let requestSize = 271_828
  static let responseSize = 314_159
  static let requestSizes = [27_182, 8, 1_828, 45_904]
  static let responseSizes = [31_415, 9, 2_653, 58_979]

  init(_ invoker: any CallInvoker) {
    test = TestService.Client(invoker)
    unimplemented = UnimplementedService.Client(invoker)
  }

  /// A call that is not there to fail takes no longer than this.
  static var options: CallOptions { CallOptions(timeout: .seconds(30)) }

  static func largeRequest() -> SimpleRequest {
    SimpleRequest(responseSize: Int32(responseSize), payload: .zeros(requestSize))
  }

  static func outputRequest(responseSize: Int, requestSize: Int) -> StreamingOutputCallRequest {
    StreamingOutputCallRequest(
      responseParameters: [ResponseParameters(size: Int32(responseSize))], payload: .zeros(requestSize))
  }
}

/// What was not as a test wants it.
struct Mismatch: Error, CustomStringConvertible {
  let description: String
}

func check(_ condition: Bool, _ text: @autoclosure () -> String) throws {
  if !condition { throw Mismatch(description: text()) }
}

func check<Value: Equatable>(_ what: String, _ value: Value, is expected: Value) throws {
  try check(value == expected, "\(what) is \(value) and not \(expected)")
}

func checkZeros(_ payload: Payload?, _ size: Int) throws {
  guard let payload else { throw Mismatch(description: "there is no payload") }
  try check("the size of the payload", payload.body.count, is: size)
  try check(payload.body.allSatisfy { $0 == 0 }, "the payload is not of zeros")
}

/// Runs a call that has to end with a status.
func checkFails(_ status: StatusCode, _ message: String? = nil, _ call: () async throws(RPCError) -> Void)
  async throws
{
  do throws(RPCError) {
    try await call()
  } catch {
    try check("the status", error.status, is: status)
    if let message { try check("the status's message", error.message, is: message) }
    return
  }
  throw Mismatch(description: "the call ended well and not with \(status)")
}
