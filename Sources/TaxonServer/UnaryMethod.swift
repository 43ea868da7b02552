// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import TaxonHTTP2
import TaxonProtobuf

/// A method with one request and one reply, and its handler.
struct UnaryMethod<Request: Message, Response: Message, Failure: ErrorUnion>: RegisteredMethod {
  let descriptor: MethodDescriptor<Request, Response, Failure>
  let handler: @Sendable (Request, ServerContext) async throws(Failure) -> Response

  var path: String { descriptor.path }

  func makeCall(_ head: RequestHead, stream: ServerStream, reporter: CallReporter) -> any ServerCall {
    UnaryCall(method: self, stream: stream, reporter: reporter)
  }
}

/// One call of a unary method.
// Reached on the loop of the stream's connection alone: the stream calls it there, and the task runs there.
final class UnaryCall<Request: Message, Response: Message, Failure: ErrorUnion>: ServerCall, @unchecked Sendable {
  private let method: UnaryMethod<Request, Response, Failure>
  private let stream: ServerStream
  private let reporter: CallReporter
  private var request: Request?
  private var task: Task<Void, Never>?

  init(method: UnaryMethod<Request, Response, Failure>, stream: ServerStream, reporter: CallReporter) {
    self.method = method
    self.stream = stream
    self.reporter = reporter
  }

  func receive(_ message: UnsafeRawBufferPointer) throws(UndeclaredError) {
    do throws(MessageDecodingError) {
      request = try Request(decoding: message)
    } catch {
      throw UndeclaredError(CallError.MalformedMessage(type: Request.descriptor.name, reason: "\(error)"))
    }
  }

  func receiveEnd() {
    guard let request else { return }
    self.request = nil
    let context = ServerContext(
      path: method.path, peer: stream.peer, metadata: stream.head.metadata,
      deadline: stream.deadline.map { .now + Duration($0 - .now()) })
    reporter.handlerStarted()
    task = stream.executor.start {
      do throws(Failure) {
        self.succeed(try await self.method.handler(request, context), context)
      } catch {
        self.fail(error, context)
      }
      self.reporter.handlerEnded()
    }
  }

  func cancel() {
    task?.cancel()
  }

  private func succeed(_ response: Response, _ context: ServerContext) {
    let metadata = context.replyMetadata
    do throws(MessageEncodingError) {
      try response.withEncoder { encoder in
        stream.reply(encoder.byteCount, initial: metadata.initial, trailing: metadata.trailing) { target in
          encoder.pack(into: target)
        }
      }
    } catch {
      fail(CallError.MalformedMessage(type: Response.descriptor.name, reason: "\(error)"), context)
    }
  }

  private func fail(_ error: some TaxonomyError, _ context: ServerContext) {
    let status = WireStatus(error, budget: reporter.limits.maxTrailersSize)
    let metadata = context.replyMetadata
    let wasSent = stream.fail(status, initial: metadata.initial, trailing: metadata.trailing)
    reporter.failed(error, status: status, path: method.path, wasSent: wasSent)
  }
}
