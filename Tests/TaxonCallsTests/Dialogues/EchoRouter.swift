// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonTransport

/// Answers "/echo/Echo" with the bytes of the request and "/echo/Wait" never.
final class EchoRouter: ServerRouter, @unchecked Sendable {  // used on the test's one thread
  private(set) var failures: [String] = []
  private(set) var severities: [Severity] = []
  private(set) var cancelled = 0
  /// What goes into the trailers of "/echo/Echo".
  var trailing: Metadata = ["x-echo": "yes"]

  func method(_ path: String) -> (any ServerMethod)? {
    switch path {
    case "/echo/Echo": Method(router: self, answers: true)
    case "/echo/Wait": Method(router: self, answers: false)
    default: nil
    }
  }

  func failed(_ error: any TaxonomyError, failure: CallFailure, path: String) {
    failures.append(error.code)
    severities.append(error.severity)
  }

  final class Method: ServerMethod {
    private let router: EchoRouter
    private let answers: Bool

    init(router: EchoRouter, answers: Bool) {
      self.router = router
      self.answers = answers
    }

    var shape: MethodShape { .unary }
    var isSafe: Bool { false }
    func begin(_ stream: ServerStream) -> (any ServerCall)? { Call(router: router, stream: stream, answers: answers) }

    func begin(
      _ stream: ServerStream, with message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
    ) -> (call: any ServerCall, kept: KeptBytes) {
      let call = Call(router: router, stream: stream, answers: answers)
      return (call, call.receive(message, size: size, isCompressed: isCompressed))
    }
  }

  final class Call: ServerCall {
    private let router: EchoRouter
    private let stream: ServerStream
    private let answers: Bool
    private var request: [UInt8] = []

    init(router: EchoRouter, stream: ServerStream, answers: Bool) {
      self.router = router
      self.stream = stream
      self.answers = answers
    }

    func becameWritable() {}

    func receive(_ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool) -> KeptBytes {
      request = Array(message)
      return .none
    }

    func receiveEnd() {
      guard answers else { return }
      stream.sendHead(Metadata(), compression: nil)
      stream.exchange.send(request.count + 5) { target in
        target.copyBytes(from: [0, 0, 0, 0, UInt8(request.count)] + request)
      }
      stream.succeed(trailing: router.trailing)
    }

    func cancel(_ error: RPCError) { router.cancelled += 1 }
  }
}
