// SPDX-License-Identifier: Apache-2.0

/// Where the reflex layer keeps its answers. An implementation may be far away, and may fail.
public protocol ReflexCache: Sendable {
  /// What is kept under a key; nil for nothing.
  func value(_ key: String) async throws -> [UInt8]?

  /// Keeps something under a key.
  func keep(_ value: [UInt8], _ key: String) async throws
}
