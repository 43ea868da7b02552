// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Something that carries tasks out.
public struct Arm: Sendable {
  /// What it is called in errors and logs.
  public var name: String
  /// What it can do; a task asks for some of it.
  public var capabilities: Set<String>
  /// How many tasks it carries out at one time; at least 1.
  public var capacity: Int
  /// How many it begins within a window of time; nil for any number.
  public var limiter: RateLimiter?
  /// Does the work and answers with its outcome. May throw anything; what the schema declares for `ExecuteTask` reaches
  /// the caller as it is. Should end soon after it is cancelled.
  public var work: @Sendable (TaskContract) async throws -> String

  /// An arm.
  public init(
    _ name: String, capabilities: Set<String>, capacity: Int = 8, limiter: RateLimiter? = nil,
    work: @escaping @Sendable (TaskContract) async throws -> String
  ) {
    self.name = name
    self.capabilities = capabilities
    self.capacity = max(1, capacity)
    self.limiter = limiter
    self.work = work
  }
}
