// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Logging

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Walk through every category of error, retry, breaker and fallback.",
    discussion: """
      Starts a server in this process, calls it over TCP and checks each answer. Exits with 1 when anything was not as \
      it should be. Colours only on a terminal, and not when NO_COLOR is set.
      """)

  func run() throws {
    LoggingSystem.bootstrap { _ in SwiftLogNoOpLogHandler() }
    let isAsExpected = try waiting {
      let stage = try await Stage()
      let walk = try Walk(stage)
      try await walk.run()
      await stage.clear()
      return walk.finish()
    }
    if !isAsExpected { throw ExitCode.failure }
  }
}
