// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let package = Package(
  name: "greeter",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "taxon", path: "../../..")],
  targets: [
    .executableTarget(
      name: "Greeter", dependencies: [.product(name: "Taxon", package: "taxon")],
      plugins: [.plugin(name: "TaxonPlugin", package: "taxon")])
  ]
)
