// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonResilience

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
