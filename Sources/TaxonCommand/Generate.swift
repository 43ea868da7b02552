// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TaxonSwift

/// `taxon generate`: Swift files to be committed, for those who don't use the plugin.
struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Writes the Swift files of schemas.")

  @OptionGroup var schemas: SchemaArguments

  @Option(help: "The folder for the Swift files.")
  var out: String

  @Option(help: "Who sees the declarations: public, package or internal.")
  var access = GeneratorSettings.Access.internal

  @Option(help: "A module that the Swift files import. May be repeated. (default: Taxon)")
  var imports: [String] = []

  @Option(help: "The module that has the types of an imported schema, as path/of.proto:Module. May be repeated.")
  var module: [String] = []

  @Option(
    help: "What the names of a schema's types begin with, as a.package:Prefix or path/of.proto:Prefix. May be repeated."
  )
  var prefix: [String] = []

  @Flag(inversion: .prefixedNo, help: "Write a Client for each service.")
  var clients = true

  @Flag(inversion: .prefixedNo, help: "Write a Fake for each service, for tests.")
  var fakes = true

  @Flag(inversion: .prefixedNo, help: "Embed the descriptors of the files, for reflection.")
  var descriptors = true

  func run() throws {
    var settings = try GeneratorSettings(
      parameter: (module.map { "module=\($0)" } + prefix.map { "prefix=\($0)" }).joined(separator: ","))
    settings.access = access
    settings.clients = clients
    settings.fakes = fakes
    settings.descriptors = descriptors ? .included : .omitted
    if !imports.isEmpty { settings.imports = imports }
    let files = try schemas.generate(settings)
    let folder = URL(filePath: out, directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for file in files {
      try Data(file.content.utf8).write(to: folder.appending(path: file.name))
    }
  }
}

extension GeneratorSettings.Access: ExpressibleByArgument {}
