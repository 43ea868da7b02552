// SPDX-License-Identifier: Apache-2.0
import Foundation
import PackagePlugin

/// The other targets whose schemas a target's schemas may import.
struct OtherTargets {
  /// A target that has schemas.
  struct Entry {
    var module: String
    var folder: URL
    var isInPackage: Bool
    /// How to depend on it; nil where that is so already.
    var mend: String?
    /// The schemas that it generates, and its settings.
    var inputs: [URL]

    /// As protoc-gen-taxon takes it.
    var argument: String {
      if let mend { return "--outside=\(module)=\(mend)=\(folder.path)" }
      return "--\(isInPackage ? "sibling" : "dependency")=\(module)=\(folder.path)"
    }
  }

  /// Those that are depended on, nearer ones first, then those that could be.
  private(set) var entries: [Entry] = []

  /// What a change of which makes other code.
  var inputs: [URL] { entries.filter { $0.mend == nil }.flatMap(\.inputs) }

  /// Looks through the packages that can be named in a manifest, and through all that a target depends on.
  init(of target: any Target, in package: Package) {
    let siblings = Set(package.targets.map(\.id))
    let dependencies = Self.dependencies(of: target)
    for dependency in dependencies {
      add(dependency, isInPackage: siblings.contains(dependency.id), mend: nil)
    }
    let known = Set(dependencies.map(\.id)).union([target.id])
    for other in package.targets where !known.contains(other.id) && other.sourceModule?.kind == .generic {
      // Two targets cannot depend on each other.
      guard !Self.dependencies(of: other).contains(where: { $0.id == target.id }) else { continue }
      add(other, isInPackage: true, mend: "add \"\(other.name)\" to the dependencies of target \(target.name)")
    }
    for outer in package.dependencies.map(\.package) {
      for other in outer.targets where !known.contains(other.id) && other.sourceModule?.kind == .generic {
        let product = outer.products.first { product in
          product is LibraryProduct && product.targets.contains { $0.id == other.id }
        }
        let mend =
          product.map {
            "add .product(name: \"\($0.name)\", package: \"\(outer.id)\") to the dependencies of target \(target.name)"
          } ?? "no library of package \(outer.id) has that target"
        add(other, isInPackage: false, mend: mend)
      }
    }
  }

  private mutating func add(_ target: any Target, isInPackage: Bool, mend: String?) {
    guard let module = target.sourceModule, Self.usesTaxon(target) else { return }
    // What is wrong with its settings is for its own build to say.
    let settings = (try? Settings(in: module.directoryURL)) ?? Settings(protoPath: module.directoryURL)
    let schemas = try? SchemaFiles(folder: settings.protoPath, include: settings.include, importPaths: [])
    guard let schemas, !schemas.files.isEmpty else { return }
    entries.append(
      Entry(
        module: module.moduleName, folder: module.directoryURL, isInPackage: isInPackage, mend: mend,
        inputs: schemas.files.map(\.url) + (settings.file.map { [$0] } ?? [])))
  }

  /// Generated code needs Taxon, or its messages, so that other targets' folders need no look.
  private static func usesTaxon(_ target: any Target) -> Bool {
    dependencies(of: target).contains { $0.name == "TaxonProtobuf" && $0.sourceModule != nil }
  }

  /// True for a target that depends on Taxon's messages, and not on Taxon.
  static func hasMessagesAlone(_ target: any Target) -> Bool {
    usesTaxon(target) && !dependencies(of: target).contains { $0.name == "Taxon" && $0.sourceModule != nil }
  }

  /// All that a target depends on, directly first.
  private static func dependencies(of target: any Target) -> [any Target] {
    var result: [any Target] = []
    var seen: Set<Target.ID> = [target.id]
    var waiting: [any Target] = [target]
    var index = 0
    while index < waiting.count {
      for dependency in waiting[index].dependencies {
        let targets: [any Target] =
          switch dependency {
          case .target(let target): [target]
          case .product(let product): product.targets
          @unknown default: []
          }
        for next in targets where seen.insert(next.id).inserted {
          result.append(next)
          waiting.append(next)
        }
      }
      index += 1
    }
    return result
  }
}
