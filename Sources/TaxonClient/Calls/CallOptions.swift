// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonHTTP2
import TaxonResilience

/// What one call does otherwise than its channel's policy says, and what travels with it.
public struct CallOptions: Sendable {
  /// The time for the whole call, all attempts and pauses together; nil takes the policy's. Inside a handler, a call
  /// ends no later than the call that the handler works for.
  public var timeout: Duration?
  /// Sent with each attempt.
  public var metadata: Metadata
  /// Retry for this call; nil takes the policy's.
  public var retry: RetryPolicy?
  /// Wait for a connection when no server can be reached, until the deadline, instead of failing at once (gRPC
  /// wait-for-ready document).
  public var waitForReady: Bool
  /// How messages of the request are compressed; nil: they are not. The server must know the format.
  public var compression: CompressionSettings?
  /// Called when the call is over, with the metadata that came before and after the last attempt's answer.
  public var onMetadata: (@Sendable (_ initial: Metadata, _ trailing: Metadata) -> Void)?
  /// Called with each message of the answer, before the message is handed out.
  public var onMessage: (@Sendable (_ isCompressed: Bool) -> Void)?

  /// Options that change nothing unless they say so.
  public init(
    timeout: Duration? = nil, metadata: Metadata = Metadata(), retry: RetryPolicy? = nil,
    waitForReady: Bool = false, compression: CompressionSettings? = nil,
    onMetadata: (@Sendable (_ initial: Metadata, _ trailing: Metadata) -> Void)? = nil
  ) {
    self.timeout = timeout
    self.metadata = metadata
    self.retry = retry
    self.waitForReady = waitForReady
    self.compression = compression
    self.onMetadata = onMetadata
  }
}
