// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackagePlugin

/// Turns the `.proto` files of a target into Swift files of it, with one run of protoc.
@main
struct TaxonPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: Target) async throws -> [Command] {
    guard let module = target.sourceModule else { return [] }
    let settings = try Settings(in: module.directoryURL)
    guard let taxonProtos = Self.taxonProtos(context.package) else {
      Diagnostics.error("\(target.name) uses TaxonPlugin, but its package does not depend on the package taxon")
      return []
    }
    let protoc = try ProtocSearch(environment: ProcessInfo.processInfo.environment) {
      FileManager.default.isExecutableFile(atPath: $0)
    }.find()

    let schema = try SchemaFiles(
      folder: settings.protoPath, include: settings.include, importPaths: settings.importPaths + [taxonProtos])
    guard !schema.files.isEmpty else {
      Diagnostics.warning("\(target.name) uses TaxonPlugin, but there is no .proto file in \(settings.protoPath.path)")
      return []
    }

    let generator = try context.tool(named: "protoc-gen-taxon").url
    let output = context.pluginWorkDirectoryURL
    // It runs protoc, which writes mistakes in a form that editors do not know.
    var arguments = ["--protoc=\(protoc)", "--out=\(output.path)", "--taxon_opt=self=\(module.moduleName)"]
    if let file = settings.file { arguments.append("--taxon_opt=settings=\(Self.escaped(file))") }
    if OtherTargets.hasMessagesAlone(target) { arguments.append("--taxon_opt=imports=TaxonProtobuf") }
    arguments += schema.searchPaths.map { "--proto_path=\($0.path)" }
    let others = OtherTargets(of: target, in: context.package)
    arguments += others.entries.map(\.argument)
    arguments += schema.files.map(\.url.path)
    let inputs = schema.files.map(\.url) + schema.imported() + others.inputs + (settings.file.map { [$0] } ?? [])
    var seen: Set<URL> = []
    return [
      .buildCommand(
        displayName: "Generating Swift from the \(schema.files.count) .proto files of \(target.name)",
        executable: generator, arguments: arguments,
        inputFiles: (inputs + [generator]).filter { seen.insert($0).inserted },
        outputFiles: schema.files.map { output.appending(path: $0.outputName) })
    ]
  }

  /// A path as a value in the generator's parameter, where commas come between the settings.
  private static func escaped(_ url: URL) -> String {
    url.path.replacing("%", with: "%25").replacing(",", with: "%2C")
  }

  /// The folder with taxon/ and google/rpc/ of the package taxon, which is this package or one it depends on.
  private static func taxonProtos(_ package: Package) -> URL? {
    var waiting = [package]
    var seen: Set<Package.ID> = []
    while let package = waiting.popLast() {
      guard seen.insert(package.id).inserted else { continue }
      let protos = package.directoryURL.appending(path: "Protos")
      if FileManager.default.fileExists(atPath: protos.appending(path: "taxon/taxonomy.proto").path) { return protos }
      waiting += package.dependencies.map(\.package)
    }
    return nil
  }
}
