// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Dispatch
import Taxon

// Synchronous: profilers that count instructions want a `main` that is a plain function.
RootCommand.main()

struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "octollm", abstract: "The example of Taxon: an orchestrator of tasks with a taxonomy of errors.",
    subcommands: [ServeCommand.self, CallCommand.self, DemoCommand.self])
}

/// Runs asynchronous work and blocks the thread until it is done. For the main thread of a command.
func waiting<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
  let outcome = Outcome<Value>()
  let done = DispatchSemaphore(value: 0)
  Task {
    do {
      let value = try await body()
      outcome.result.withLock { $0 = .success(value) }
    } catch {
      outcome.result.withLock { $0 = .failure(error) }
    }
    done.signal()
  }
  done.wait()
  guard let result = outcome.result.withLock({ $0 }) else { throw CancellationError() }
  return try result.get()
}

private final class Outcome<Value: Sendable>: Sendable {
  let result = Locked<Result<Value, any Error>?>(nil)
}
