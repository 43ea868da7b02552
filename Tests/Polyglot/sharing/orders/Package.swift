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

// A service that calls another one, and raises the errors of the house, too.
let package = Package(
  name: "orders",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "OrdersAPI", targets: ["OrdersAPI"]), .library(name: "OrdersService", targets: ["OrdersService"]),
  ],
  dependencies: [
    .package(name: "taxon", path: "../taxon"), .package(name: "platform", path: "../platform"),
    .package(name: "stock", path: "../stock"),
  ],
  targets: [
    // PlatformErrors comes with StockAPI: nobody has to name it.
    .target(
      name: "OrdersAPI", dependencies: [taxon, .product(name: "StockAPI", package: "stock")],
      swiftSettings: settings, plugins: plugins),
    .target(
      name: "OrdersService",
      dependencies: [
        taxon, "OrdersAPI", .product(name: "StockAPI", package: "stock"),
        .product(name: "PlatformErrors", package: "platform"),
      ], swiftSettings: settings),
  ]
)
