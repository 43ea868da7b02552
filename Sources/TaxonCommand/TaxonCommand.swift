// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The command line of Taxon.
@main
struct TaxonCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "taxon", abstract: "Works with schemas that declare their errors.", version: "0.1.0",
    subcommands: [Check.self, Generate.self])
}
