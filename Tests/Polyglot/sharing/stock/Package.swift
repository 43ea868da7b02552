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

// A service that raises errors of the house, and some of its own.
let package = Package(
  name: "stock",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "StockAPI", targets: ["StockAPI"]), .library(name: "StockService", targets: ["StockService"]),
  ],
  dependencies: [.package(name: "taxon", path: "../taxon"), .package(name: "platform", path: "../platform")],
  targets: [
    .target(
      name: "StockAPI", dependencies: [taxon, .product(name: "PlatformErrors", package: "platform")],
      swiftSettings: settings, plugins: plugins),
    .target(
      name: "StockService", dependencies: [taxon, "StockAPI", .product(name: "PlatformErrors", package: "platform")],
      swiftSettings: settings),
  ]
)
