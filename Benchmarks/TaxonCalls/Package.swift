// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// Without the peers, so that the budgets are measured without building them.
let taxon = Target.Dependency.product(name: "Taxon", package: "taxon")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let generator = Target.PluginUsage.plugin(name: "TaxonPlugin", package: "taxon")

/// No program here has a use for what traits add; `Scripts/bench compile` measures what they cost.
let traits: Set<Package.Dependency.Trait> = Context.environment["TAXON_TRAITS"] == "default" ? [.defaults] : []

let package = Package(
  name: "taxon-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "taxon", path: "../..", traits: traits),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
  ],
  targets: [
    .target(name: "EchoSchema", dependencies: [taxon], plugins: [generator]),
    .executableTarget(name: "taxon-bench-server", dependencies: ["EchoSchema", taxon, logging]),
    .executableTarget(name: "taxon-bench-client", dependencies: ["EchoSchema", taxon]),
    .executableTarget(name: "taxon-bench-hello", dependencies: [taxon], plugins: [generator]),
    .executableTarget(
      name: "taxon-bench-message", dependencies: [.product(name: "TaxonProtobuf", package: "taxon")],
      plugins: [generator]),
  ],
  swiftLanguageModes: [.v6]
)
