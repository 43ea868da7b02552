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

// A client of both services, which it runs as well.
let package = Package(
  name: "shop",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "taxon", path: "../taxon"), .package(name: "platform", path: "../platform"),
    .package(name: "stock", path: "../stock"), .package(name: "orders", path: "../orders"),
  ],
  targets: [
    .executableTarget(
      name: "Shop",
      dependencies: [
        taxon, .product(name: "PlatformErrors", package: "platform"), .product(name: "StockAPI", package: "stock"),
        .product(name: "StockService", package: "stock"), .product(name: "OrdersAPI", package: "orders"),
        .product(name: "OrdersService", package: "orders"),
      ],
      swiftSettings: settings, plugins: plugins)
  ]
)
