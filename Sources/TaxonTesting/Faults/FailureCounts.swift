// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Counts failures under keys, so that a client's retries can be tried out: so many calls fail, then one passes, and it begins anew.
///
/// Keeps 10,000 keys. With one more, all that there are are forgotten: keys that never come again must not fill the memory.
public final class FailureCounts: Sendable {
  private let counts = Locked<[String: Int]>([:])
  private static let maxKeys = 10_000

  /// Nothing has failed yet.
  public init() {}

  /// Whether a call fails: true so many times under a key, then false once.
  public func fails(_ key: String, times: Int) -> Bool {
    counts.withLock { counts in
      let failures = counts[key, default: 0]
      guard failures < times else {
        counts[key] = nil
        return false
      }
      if counts.count >= Self.maxKeys, counts[key] == nil { counts.removeAll() }
      counts[key] = failures + 1
      return true
    }
  }
}
