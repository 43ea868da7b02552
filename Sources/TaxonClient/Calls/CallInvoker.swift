// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience

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

/// What one call does otherwise than its channel's policy says, and what travels with it.
public struct CallOptions: Sendable {
  /// The time for the whole call, all attempts and pauses together; nil takes the policy's. Inside a handler, a call
  /// ends no later than the call that the handler works for.
  public var timeout: Duration?
  /// Sent with each attempt.
  public var metadata: Metadata
  /// Retry for this call; nil takes the policy's. Its budget, where it is not the policy's, is shared by all calls of the
  /// channel that ask for the same; nil in it: no budget.
  public var retry: RetryPolicy?
  /// How messages of the request are compressed; nil: they are not. The server must know the format.
  public var compression: CompressionSettings?
  /// Wait for a connection when no server can be reached, until the deadline, instead of failing at once (gRPC
  /// wait-for-ready document).
  public var waitForReady: Bool
  /// Called with the metadata of the answer's head as soon as it comes, while the call goes on; of each attempt that has a
  /// head. Called on the connection's event loop; should not block. Calls that stream have `initialMetadata` too.
  public var onInitialMetadata: (@Sendable (_ initial: Metadata) -> Void)?
  /// Called when the call is over, with the metadata that came before and after the last attempt's answer: before a unary
  /// call returns or throws. An error has both as well (`initialMetadata`, `trailingMetadata`).
  public var onMetadata: (@Sendable (_ initial: Metadata, _ trailing: Metadata) -> Void)?
  /// Called with each message of the answer, before the message is handed out.
  public var onMessage: (@Sendable (_ isCompressed: Bool) -> Void)?

  /// Options that change nothing unless they say so.
  public init(
    timeout: Duration? = nil, metadata: Metadata = Metadata(), retry: RetryPolicy? = nil,
    compression: CompressionSettings? = nil, waitForReady: Bool = false,
    onMetadata: (@Sendable (_ initial: Metadata, _ trailing: Metadata) -> Void)? = nil
  ) {
    self.timeout = timeout
    self.metadata = metadata
    self.retry = retry
    self.compression = compression
    self.waitForReady = waitForReady
    self.onMetadata = onMetadata
  }
}
