// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

struct CallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "call", abstract: "Call a server and print its answer, or its error.",
    discussion: "Exits with 0 after an answer and with 1 after an error.",
    subcommands: [
      CreateCall.self, GetCall.self, WatchCall.self, ListCall.self, UpdateCall.self, ExecuteCall.self,
      ExecuteAllCall.self,
      PreprocessCall.self, RaiseCall.self,
    ])
}
