// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Logging
import Taxon

/// A command that makes calls and prints what comes of them.
protocol Call: ParsableCommand, Sendable {
  associatedtype Failure: ErrorUnion

  var connection: Connection { get }

  /// Makes the calls. What it throws is printed as it is; what it catches, it can say more about.
  func call(_ channel: Channel, _ options: CallOptions) async throws(Failure) -> Answer
}

extension Call {
  func run() throws {
    LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
    let answer = try waiting {
      do {
        let channel = try connection.open()
        defer { channel.shutDown() }
        return try await call(channel, connection.options)
      } catch let error as any TaxonomyError {
        return Answer(error)
      }
    }
    answer.print(asJSON: connection.json)
    if answer.isFailure { throw ExitCode.failure }
  }
}
