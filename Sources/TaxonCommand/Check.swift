// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import TaxonSwift

/// `taxon check`: all mistakes of the schemas, and nothing else.
struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reports the mistakes in schemas; exits with 1 when there are any.")

  @OptionGroup var schemas: SchemaArguments

  func run() throws {
    _ = try schemas.generate(GeneratorSettings())
  }
}
