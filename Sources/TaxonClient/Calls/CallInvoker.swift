// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// Something that makes calls: a `Channel`, or what stands before one.
public protocol CallInvoker: Sendable {
  /// Makes a call with one request and one answer. Cancelling the task that waits for it cancels the call.
  func unary<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request, options: CallOptions
  ) async throws(Failure) -> Response

  /// A call with one request and any number of answers; it begins when the first answer is read,
  /// and ends when the task that reads is cancelled.
  func serverStreaming<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, _ request: Request, options: CallOptions
  ) -> ResponseStream<Response, Failure>

  /// Begins a call with any number of requests and one answer, at once. It ends when the task that waits for the answer is
  /// cancelled.
  func clientStreaming<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, options: CallOptions
  ) -> ClientStreamingCall<Request, Response, Failure>

  /// Begins a call with any number of requests and of answers, at once. It ends when the task that reads the answers is
  /// cancelled.
  func bidirectional<Request, Response, Failure>(
    _ method: MethodDescriptor<Request, Response, Failure>, options: CallOptions
  ) -> BidirectionalCall<Request, Response, Failure>
}
