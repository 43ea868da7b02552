// SPDX-License-Identifier: Apache-2.0
import TaxonTesting
import Testing

@testable import TaxonClient

/// Fails each test that leaves something behind of the servers and channels that it has had watched: a handler that
/// still runs, a stream that a session still holds, a connection, a socket, a thread.
package struct LeftoverCheck: SuiteTrait, TestTrait, TestScoping {
  package let isRecursive = true

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await Self.run(at: test.sourceLocation) { try await function() }
  }

  /// Runs a test, and records an issue for each thing that is left when it has returned.
  ///
  /// - Parameter patience: What a test has shut down may take so long to be gone; usually it is gone at once.
  package static func run(
    within patience: Duration = .seconds(10), at location: SourceLocation, _ test: () async throws -> Void
  ) async throws {
    let leftovers = Leftovers()
    // A test that throws fails by itself, and has not come to its shutdowns.
    try await Leftovers.$current.withValue(leftovers) {
      try await DialerObservation.$observed.withValue({ WatchedDialer(dialer: $0, leftovers: leftovers) }) {
        try await ScriptedPeer.$observer.withValue({ leftovers.watch($0, $1) }) { try await test() }
      }
    }
    for left in await leftovers.found(within: patience) {
      Issue.record("The test leaves behind: \(left)", sourceLocation: location)
    }
  }
}

extension Trait where Self == LeftoverCheck {
  /// Fails each test that leaves something behind of what it has had watched.
  package static var leavesNothing: Self { Self() }
}
