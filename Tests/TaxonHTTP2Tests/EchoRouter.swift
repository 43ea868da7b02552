// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonHTTP2

/// Answers "/echo/Echo" with the bytes of the request and "/echo/Wait" never.
final class EchoRouter: ServerRouter, @unchecked Sendable {  // used on the test's one thread
  private(set) var failures: [String] = []
  private(set) var cancelled = 0

  func makeCall(_ head: RequestHead, stream: ServerStream) -> (any ServerCall)? {
    switch head.path {
    case "/echo/Echo": Call(router: self, stream: stream, answers: true)
    case "/echo/Wait": Call(router: self, stream: stream, answers: false)
    default: nil
    }
  }

  func failed(_ error: any TaxonomyError, status: WireStatus, path: String) { failures.append(error.code) }

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

    func receive(_ message: UnsafeRawBufferPointer) { request = Array(message) }

    func receiveEnd() {
      guard answers else { return }
      stream.reply(request.count, initial: Metadata(), trailing: ["x-echo": "yes"]) { $0.copyBytes(from: request) }
    }

    func cancel() { router.cancelled += 1 }
  }
}
