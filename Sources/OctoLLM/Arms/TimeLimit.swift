// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Runs a body for at most so many seconds. A body that takes longer is cancelled, and waited for.
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
