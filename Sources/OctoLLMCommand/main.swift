// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

// Synchronous: profilers that count instructions want a `main` that is a plain function.
RootCommand.main()

struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "octollm", abstract: "The example of Taxon: an orchestrator of tasks with a taxonomy of errors.",
    subcommands: [ServeCommand.self, CallCommand.self, DemoCommand.self])
}
