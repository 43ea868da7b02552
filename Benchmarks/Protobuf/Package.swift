// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

// Both sides have types of the same names, so each has modules of its own; they meet in Kit's `Benchmark`.
let package = Package(
  name: "protobuf-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(name: "taxon", path: "../.."),
    .package(url: "https://github.com/apple/swift-protobuf.git", exact: "1.39.0"),
  ],
  targets: [
    .target(name: "Kit"),
    .target(
      name: "TaxonMessages", dependencies: [.product(name: "Taxon", package: "taxon")],
      plugins: [.plugin(name: "TaxonPlugin", package: "taxon")]),
    .target(name: "TaxonSide", dependencies: ["Kit", "TaxonMessages", .product(name: "Taxon", package: "taxon")]),
    .target(name: "PeerMessages", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")]),
    .target(
      name: "PeerSide",
      dependencies: ["Kit", "PeerMessages", .product(name: "SwiftProtobuf", package: "swift-protobuf")]
    ),
    // How large a program with one message is; Taxon's is in TaxonCalls.
    .executableTarget(
      name: "swift-protobuf-message", dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")]),
    .executableTarget(name: "protobuf-bench", dependencies: ["Kit", "TaxonSide", "PeerSide"]),
  ],
  swiftLanguageModes: [.v6]
)
