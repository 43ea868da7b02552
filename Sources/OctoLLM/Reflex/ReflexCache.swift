// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Where the reflex layer keeps its answers. An implementation may be far away, and may fail.
public protocol ReflexCache: Sendable {
  /// What is kept under a key; nil for nothing.
  func value(_ key: String) async throws -> [UInt8]?

  /// Keeps something under a key.
  func keep(_ value: [UInt8], _ key: String) async throws
}

/// A cache in memory, which forgets the oldest entries first.
public final class MemoryCache: ReflexCache {
  private struct Entries {
    var values: [String: [UInt8]] = [:]
    /// In the order in which they came.
    var keys: [String] = []
  }

  private let entries = Locked(Entries())
  private let capacity: Int

  /// A cache for so many entries; at least 1.
  public init(capacity: Int = 1000) { self.capacity = max(1, capacity) }

  /// What is kept under a key; nil for nothing.
  public func value(_ key: String) async -> [UInt8]? {
    entries.withLock { $0.values[key] }
  }

  /// Keeps something under a key.
  public func keep(_ value: [UInt8], _ key: String) async {
    entries.withLock { entries in
      if entries.values.updateValue(value, forKey: key) == nil { entries.keys.append(key) }
      if entries.keys.count > capacity { entries.values[entries.keys.removeFirst()] = nil }
    }
  }
}
