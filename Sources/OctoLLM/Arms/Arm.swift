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

/// The arms of the orchestrator, and how many tasks each carries out now.
public final class ArmRegistry: Sendable {
  /// In the order in which they are asked.
  public let arms: [Arm]
  /// How long an arm may take for a contract that does not say; seconds.
  public let defaultTimeout: Int32
  private let clock: any Clock<Duration>
  private let busy: Locked<[String: Int]> = Locked([:])

  /// A registry; the clock measures the contracts' timeouts.
  public init(_ arms: [Arm], defaultTimeout: Int32 = 30, clock: any Clock<Duration> = ContinuousClock()) {
    self.arms = arms
    self.defaultTimeout = defaultTimeout
    self.clock = clock
  }

  /// Has the first arm with the capabilities and a free place carry a contract out.
  ///
  /// - Throws: `ARM_UNAVAILABLE` when no arm has the capabilities, `CAPACITY_EXCEEDED` when all that have them are busy,
  ///   `RATE_LIMIT_EXCEEDED` with the time until the arm takes tasks again, `TIMEOUT_ERROR` when the arm takes longer than
  ///   the contract allows, and what the arm throws.
  public func carryOut(_ contract: TaskContract) async throws -> String {
    let capable = arms.filter { $0.capabilities.isSuperset(of: contract.requiredCapabilities) }
    guard let first = capable.first else {
      throw ResourceError.armUnavailable(requiredCapabilities: contract.requiredCapabilities)
    }
    guard let arm = capable.first(where: occupy) else {
      throw ResourceError.capacityExceeded(resource: "arm \(first.name)", capacity: Int32(first.capacity))
    }
    defer { leave(arm) }
    if let limiter = arm.limiter, let wait = limiter.admit() {
      throw ResourceError.rateLimit(
        limit: Int32(limiter.limit), window: Int32(clamping: limiter.window.boundedComponents.seconds), retryAfter: wait
      )
    }
    // Arms compute, and the caller is a handler on its connection's event loop: what computes belongs elsewhere.
    return try await withTaskExecutorPreference(globalConcurrentExecutor) {
      try await withTimeLimit(contract.timeout ?? defaultTimeout, operation: "Arm \(arm.name)", clock: clock) {
        try await arm.work(contract)
      }
    }
  }

  private func occupy(_ arm: Arm) -> Bool {
    busy.withLock { busy in
      guard busy[arm.name, default: 0] < arm.capacity else { return false }
      busy[arm.name, default: 0] += 1
      return true
    }
  }

  private func leave(_ arm: Arm) {
    busy.withLock { $0[arm.name, default: 1] -= 1 }
  }
}

/// Runs a body for at most `seconds`. A body that takes longer is cancelled, and waited for.
///
/// - Throws: `TIMEOUT_ERROR`, or what the body throws.
func withTimeLimit<Value: Sendable>(
  _ seconds: Int32, operation: String, clock: any Clock<Duration>, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await clock.sleep(for: .seconds(seconds))
      throw SystemError.timeout(operation: operation, timeout: seconds)
    }
    // Whichever comes first; the other one is cancelled when the group is left.
    defer { group.cancelAll() }
    for try await value in group { return value }
    throw CancellationError()
  }
}
