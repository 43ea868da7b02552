// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// Without the peers, so that the budget of allocations is measured without building them.
let taxon = Target.Dependency.product(name: "Taxon", package: "taxon")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
  name: "taxon-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "taxon", path: "../.."), .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
  ],
  targets: [
    .target(name: "EchoSchema", dependencies: [taxon], plugins: [.plugin(name: "TaxonPlugin", package: "taxon")]),
    .executableTarget(name: "taxon-bench-server", dependencies: ["EchoSchema", taxon, logging]),
    .executableTarget(name: "taxon-bench-client", dependencies: ["EchoSchema", taxon]),
  ],
  swiftLanguageModes: [.v6]
)
