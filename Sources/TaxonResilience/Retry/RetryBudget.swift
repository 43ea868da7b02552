// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Keeps the retries of many calls to one endpoint from making its trouble worse: a bucket of tokens, from which each
/// retryable failure takes one and to which each success gives a part of one; at half or below there are no retries
/// (gRPC A6, "Throttling Retry Attempts").
public final class RetryBudget: Sendable {
  /// The size of the bucket and what refills it.
  public struct Settings: Hashable, Sendable {
    /// Tokens in a full bucket; from 1 to 1000.
    public var maxTokens: Double
    /// What a success gives back.
    public var tokenRatio: Double

    /// Settings; by default, retries stop after 50 failures without a success and 10 successes allow one more.
    public init(maxTokens: Double = 100, tokenRatio: Double = 0.1) {
      self.maxTokens = min(max(1, maxTokens), 1000)
      self.tokenRatio = max(0, tokenRatio)
    }
  }

  private let settings: Settings
  private let tokens: Locked<Double>

  /// A full bucket.
  public init(_ settings: Settings = Settings()) {
    self.settings = settings
    tokens = Locked(settings.maxTokens)
  }

  /// Takes a token for an attempt that failed with a retryable error, or that the server asked not to retry. True
  /// when there may be a retry.
  public func failed() -> Bool {
    tokens.withLock { tokens in
      tokens = max(0, tokens - 1)
      return tokens > settings.maxTokens / 2
    }
  }

  /// Gives a part of a token back for a call that succeeded.
  public func succeeded() {
    tokens.withLock { $0 = min(settings.maxTokens, $0 + settings.tokenRatio) }
  }
}
