// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonProtobuf

extension TimeAmount {
  /// The nearest amount to a duration: some 292 years at most. NIO's own initialiser traps on what is beyond 64 bits of
  /// seconds, and makes the longest amount of what is far below zero.
  package init(saturating duration: Duration) { self = .nanoseconds(duration.clampedNanoseconds) }
}
