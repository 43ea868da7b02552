// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Taxon

/// Runs asynchronous work and blocks the thread until it is done. For the main thread of a command.
func waiting(_ body: @escaping @Sendable () async throws -> Void) throws {
  let outcome = Locked<(any Error)?>(nil)
  let done = DispatchSemaphore(value: 0)
  Task {
    do {
      try await body()
    } catch {
      outcome.withLock { $0 = error }
    }
    done.signal()
  }
  done.wait()
  if let error = outcome.withLock({ $0 }) { throw error }
}
