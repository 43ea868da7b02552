// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// What a server does with the calls of one method. The stream calls the methods on the connection's event loop.
package protocol ServerMethod: AnyObject, Sendable {
  /// Which of its sides have any number of messages.
  var shape: MethodShape { get }
  /// True when a call changes nothing (`idempotency_level = NO_SIDE_EFFECTS`), so that a GET may make it.
  var isSafe: Bool { get }
  /// The call for a stream whose head is there; nil when it begins with its message.
  func begin(_ stream: ServerStream) -> (any ServerCall)?
  /// The call for a stream whose message is there, when it did not begin with the head; the pointer is good during the
  /// call. An error ends the call.
  ///
  /// - Returns: The call, and what its `receive` would return.
  func begin(
    _ stream: ServerStream, with message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> (call: any ServerCall, kept: KeptBytes)
}

/// Which sides of a method have any number of messages, rather than one.
package struct MethodShape: Sendable, Hashable {
  /// The request.
  package let takesMany: Bool
  /// The reply.
  package let answersMany: Bool

  /// A shape.
  package init(takesMany: Bool, answersMany: Bool) {
    self.takesMany = takesMany
    self.answersMany = answersMany
  }

  /// One message each way.
  package static let unary = MethodShape(takesMany: false, answersMany: false)
  /// Any number of messages, one way at least.
  package var isStreaming: Bool { takesMany || answersMany }
  /// Any number of messages both ways, at once.
  package var isFullDuplex: Bool { takesMany && answersMany }
}

/// What a server does with one call. The stream calls the methods on the connection's event loop.
package protocol ServerCall: AnyObject {
  /// A message of the request; the pointer is good during the call. An error ends the call.
  ///
  /// - Parameter size: Bytes on the wire, the prefix included.
  /// - Returns: What the message keeps until it has been read.
  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes
  /// The request is complete.
  func receiveEnd()
  /// The peer is gone, has given up, or the deadline has passed: what the call would answer is no longer wanted.
  func cancel(_ error: RPCError)
  /// The exchange takes more of what the call has to send.
  func becameWritable()
}

/// The one who knows the methods and sees how calls end.
package protocol ServerRouter: AnyObject, Sendable {
  /// The method of a path, such as "/octollm.v1.Orchestrator/GetTask"; nil when the server has none.
  func method(_ path: String) -> (any ServerMethod)?
  /// The methods that are called by REST.
  var routes: RESTRoutes { get }
  /// A call failed before, or without, a handler.
  func failed(_ error: any TaxonomyError, failure: CallFailure, path: String)
}

extension ServerRouter {
  /// None are.
  package var routes: RESTRoutes { RESTRoutes() }
}
