// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// What Swift 7 will ask for: generated code has to do under it.
let settings: [SwiftSetting] = [
  .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"), .treatAllWarnings(as: .error),
]
let taxon: Target.Dependency = .product(name: "Taxon", package: "taxon")
let plugins: [Target.PluginUsage] = [.plugin(name: "TaxonPlugin", package: "taxon")]

// The errors that all services of the house raise.
let package = Package(
  name: "platform",
  platforms: [.macOS(.v15)],
  products: [.library(name: "PlatformErrors", targets: ["PlatformErrors", "Money"])],
  dependencies: [.package(name: "taxon", path: "../taxon")],
  targets: [
    .target(name: "PlatformErrors", dependencies: [taxon, "Money"], swiftSettings: settings, plugins: plugins),
    .target(name: "Money", dependencies: [taxon], swiftSettings: settings, plugins: plugins),
  ]
)
