// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

struct InteropCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "taxon-interop",
    abstract: "gRPC's interoperability tests, with the flags that all implementations have.",
    subcommands: [ServerCommand.self, ClientCommand.self, LoadCommand.self, FailCommand.self, SecretsCommand.self])
}

extension NameSpecification {
  /// `--a_name`, as gRPC's tests are started from everywhere, and `-a_name`, as Go's flags are written.
  static func flag(_ name: String) -> NameSpecification {
    [.customLong(name), .customLong(name, withSingleDash: true)]
  }
}
