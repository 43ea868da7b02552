// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The programs that the Connect suite (connectrpc/conformance) tests. It talks to them on standard input and output.
struct ConnectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "taxon-connect", abstract: "The server and the client that the Connect suite tests.",
    subcommands: [ServerCommand.self, ClientCommand.self])
}

ConnectCommand.main()
