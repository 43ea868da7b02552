// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// Answers "/test.Text/Echo", which changes nothing, with the text of the request, and fails where that is "fail" or "later";
/// "/test.Text/Change" does the same and changes something, "/test.Text/Many" may answer with a stream, "/test.Text/Both"
/// streams both ways.
final class TextRouter: ServerRouter, @unchecked Sendable {  // used on the test's one thread
  private(set) var failures: [String] = []
  var routes = RESTRoutes()
  var initial = Metadata()
  var trailing = Metadata()

  func method(_ path: String) -> (any ServerMethod)? {
    switch path {
    case "/test.Text/Echo": Method(router: self, shape: .unary, isSafe: true)
    case "/test.Text/Change": Method(router: self, shape: .unary, isSafe: false)
    case "/test.Text/Many":
      Method(router: self, shape: MethodShape(takesMany: false, answersMany: true), isSafe: false)
    case "/test.Text/Both": Method(router: self, shape: MethodShape(takesMany: true, answersMany: true), isSafe: false)
    default: nil
    }
  }

  func failed(_ error: any TaxonomyError, failure: CallFailure, path: String) { failures.append(error.code) }

  final class Method: ServerMethod {
    let router: TextRouter
    let shape: MethodShape
    let isSafe: Bool

    init(router: TextRouter, shape: MethodShape, isSafe: Bool) {
      self.router = router
      self.shape = shape
      self.isSafe = isSafe
    }

    func begin(_ stream: ServerStream) -> (any ServerCall)? { nil }

    func begin(
      _ stream: ServerStream, with message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
    ) throws(RPCError) -> (call: any ServerCall, kept: KeptBytes) {
      let request = try stream.codec.decode(Google_Protobuf_StringValue.self, message)
      return (Call(router: router, stream: stream, text: request.value), .none)
    }
  }

  final class Call: ServerCall {
    private let router: TextRouter
    private let stream: ServerStream
    private let text: String

    init(router: TextRouter, stream: ServerStream, text: String) {
      self.router = router
      self.stream = stream
      self.text = text
    }

    func becameWritable() {}
    func receive(_ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool) -> KeptBytes { .none }
    func cancel(_ error: RPCError) {}

    func receiveEnd() {
      if text == "fail" {
        stream.fail(
          RPCError(.notFound, "not \"here\""), initial: router.initial,
          trailing: HeaderBlock.Field.fields(of: router.trailing))
        return
      }
      if text == "later" {
        stream.fail(RPCError(.unavailable, "busy").retryAfter(.milliseconds(2500)))
        return
      }
      do throws(RPCError) {
        try stream.reply(
          Google_Protobuf_StringValue(value: text), compress: nil, initial: router.initial, trailing: router.trailing)
      } catch {
        stream.fail(error)
      }
    }
  }
}
