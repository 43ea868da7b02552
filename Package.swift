// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let settings: [SwiftSetting] = [
  .enableUpcomingFeature("MemberImportVisibility")
]

func dependency(_ name: String, _ package: String) -> Target.Dependency { .product(name: name, package: package) }

/// What only one trait needs: neither fetched nor built for users who depend on this package without it.
func dependency(_ name: String, _ package: String, trait: String) -> Target.Dependency {
  .product(name: name, package: package, condition: .when(traits: [trait]))
}

let package = Package(
  name: "taxon",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Taxon", targets: ["Taxon"]),
    .library(name: "TaxonTesting", targets: ["TaxonTesting"]),
    .library(name: "TaxonProtobuf", targets: ["TaxonProtobuf"]),
    .executable(name: "taxon", targets: ["TaxonCommand"]),
    .executable(name: "protoc-gen-taxon", targets: ["protoc-gen-taxon"]),
    .executable(name: "octollm", targets: ["OctoLLMCommand"]),
    .plugin(name: "TaxonPlugin", targets: ["TaxonPlugin"]),
  ],
  traits: [
    .trait(name: "Programs", description: "The example and the command line, and the packages that only they need."),
    .trait(name: "ServiceLifecycle", description: "Server is a Service of swift-service-lifecycle."),
    .trait(name: "TLS", description: "Servers and channels can encrypt, with NIOSSL."),
    .default(enabledTraits: ["Programs", "ServiceLifecycle", "TLS"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
  ],
  targets: [
    // The example.
    .executableTarget(
      name: "OctoLLMCommand",
      dependencies: [
        "OctoLLM", "TaxonTesting", "Taxon", dependency("ArgumentParser", "swift-argument-parser", trait: "Programs"),
        dependency("Logging", "swift-log"),
      ], swiftSettings: settings),
    .target(
      name: "OctoLLM",
      dependencies: [
        "Taxon", "TaxonTesting", dependency("GRDB", "GRDB.swift", trait: "Programs"),
        dependency("Logging", "swift-log"),
      ],
      swiftSettings: settings, plugins: ["TaxonPlugin"]),

    // The generator.
    .executableTarget(
      name: "TaxonCommand",
      dependencies: [
        "TaxonPython", "TaxonSwift", "TaxonSchema", "TaxonProtobuf",
        dependency("ArgumentParser", "swift-argument-parser", trait: "Programs"),
      ],
      swiftSettings: settings),
    .executableTarget(
      name: "protoc-gen-taxon", dependencies: ["TaxonPython", "TaxonSwift", "TaxonSchema"], swiftSettings: settings),
    .plugin(name: "TaxonPlugin", capability: .buildTool(), dependencies: ["protoc-gen-taxon"]),
    .target(
      name: "TaxonPython", dependencies: ["TaxonSchema", "TaxonProtobuf"], exclude: ["Runtime"], swiftSettings: settings
    ),
    .target(name: "TaxonSwift", dependencies: ["TaxonSchema", "TaxonProtobuf"], swiftSettings: settings),
    .target(name: "TaxonSchema", dependencies: ["TaxonProtobuf"], swiftSettings: settings),

    // Faults on purpose, and what else tests of services and clients need. Servers in production may link it.
    .target(
      name: "TaxonTesting",
      dependencies: [
        "Taxon", "TaxonServer", "TaxonClient", "TaxonCalls", "TaxonTransport", "TaxonErrors", "TaxonProtobuf",
        dependency("NIOCore", "swift-nio"), dependency("NIOPosix", "swift-nio"), dependency("Logging", "swift-log"),
        dependency("Metrics", "swift-metrics"),
      ], swiftSettings: settings),

    // What a user imports, and the rooms below it, top to bottom.
    .target(
      name: "Taxon",
      dependencies: [
        "TaxonServer", "TaxonClient", "TaxonResilience", "TaxonCalls", "TaxonTransport", "TaxonErrors", "TaxonProtobuf",
      ],
      swiftSettings: settings),
    .target(
      name: "TaxonServer",
      dependencies: [
        "TaxonCalls", "TaxonTransport", "TaxonErrors", "TaxonProtobuf", dependency("NIOCore", "swift-nio"),
        dependency("NIOPosix", "swift-nio"), dependency("Logging", "swift-log"), dependency("Metrics", "swift-metrics"),
        dependency("ServiceLifecycle", "swift-service-lifecycle", trait: "ServiceLifecycle"),
      ],
      swiftSettings: settings),
    .target(
      name: "TaxonClient",
      dependencies: [
        "TaxonCalls", "TaxonTransport", "TaxonResilience", "TaxonErrors", "TaxonProtobuf",
        dependency("NIOCore", "swift-nio"), dependency("NIOPosix", "swift-nio"), dependency("Logging", "swift-log"),
        dependency("DequeModule", "swift-collections"),
      ], swiftSettings: settings),
    .target(name: "TaxonResilience", dependencies: ["TaxonErrors", "TaxonProtobuf"], swiftSettings: settings),
    .target(
      name: "TaxonCalls",
      dependencies: [
        "TaxonTransport", "TaxonErrors", "TaxonProtobuf", "CZlib", dependency("NIOCore", "swift-nio"),
        dependency("DequeModule", "swift-collections"),
      ],
      swiftSettings: settings),
    .target(
      name: "TaxonTransport",
      dependencies: [
        "TaxonErrors", "TaxonProtobuf", "CNghttp2", dependency("NIOCore", "swift-nio"),
        dependency("NIOHTTP1", "swift-nio"), dependency("NIOPosix", "swift-nio"),
        dependency("NIOSSL", "swift-nio-ssl", trait: "TLS"), dependency("NIOTLS", "swift-nio"),
        dependency("Logging", "swift-log"),
      ], swiftSettings: settings),
    .target(name: "TaxonErrors", dependencies: ["TaxonProtobuf"], swiftSettings: settings),
    .target(name: "TaxonProtobuf", dependencies: ["CProtobufC"], swiftSettings: settings),
    .systemLibrary(
      name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"]), .brew(["libnghttp2"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"]), .brew(["protobuf-c"])]),

    // gRPC's interoperability tests, which Tests/Polyglot runs against other implementations.
    .executableTarget(
      name: "taxon-interop",
      dependencies: [
        "Taxon", dependency("ArgumentParser", "swift-argument-parser", trait: "Programs"),
        dependency("Logging", "swift-log"),
        dependency("Metrics", "swift-metrics"),
      ],
      path: "Tests/Interop", swiftSettings: settings, plugins: ["TaxonPlugin"]),

    // The server and the client that the Connect suite tests.
    .executableTarget(
      name: "taxon-connect",
      dependencies: ["Taxon", dependency("ArgumentParser", "swift-argument-parser", trait: "Programs")],
      path: "Tests/Connect", exclude: ["basic.yaml", "roads-basic.yaml", "roads-wide.yaml", "wide.yaml"],
      swiftSettings: settings, plugins: ["TaxonPlugin"]),

    // What Tests/Polyglot compares with Google's implementation of protobuf.
    .executableTarget(
      name: "taxon-cross-check", dependencies: ["Taxon", "TaxonProtobuf"], path: "Tests/CrossCheck",
      swiftSettings: settings,
      plugins: ["TaxonPlugin"]),

    // What the tests that run servers and channels have in common; no tests of its own.
    .testTarget(
      name: "TaxonFixtures",
      dependencies: [
        "TaxonTesting", "TaxonServer", "TaxonClient", "TaxonResilience", "TaxonTransport", "TaxonProtobuf",
        dependency("Logging", "swift-log"), dependency("NIOCore", "swift-nio"), dependency("NIOPosix", "swift-nio"),
      ],
      swiftSettings: settings),

    .testTarget(
      name: "TaxonProtobufTests", dependencies: ["TaxonProtobuf"],
      exclude: [
        "Corpus", "Schemas", "everything.proto", "failures.proto", "json.proto",
        "kinds.proto", "legacy.proto",
      ],
      swiftSettings: settings),
    .testTarget(name: "TaxonErrorsTests", dependencies: ["TaxonErrors"], swiftSettings: settings),
    .testTarget(
      name: "TaxonResilienceTests", dependencies: ["TaxonTesting", "TaxonResilience"], swiftSettings: settings),
    .testTarget(
      name: "TaxonTransportTests",
      dependencies: [
        "TaxonTransport", "CNghttp2", dependency("NIOCore", "swift-nio"), dependency("NIOEmbedded", "swift-nio"),
      ],
      exclude: ["Corpus"], swiftSettings: settings),
    .testTarget(
      name: "TaxonCallsTests",
      dependencies: [
        "TaxonCalls", "TaxonTransport", "TaxonErrors", "TaxonProtobuf", "CNghttp2", dependency("NIOCore", "swift-nio"),
        dependency("NIOEmbedded", "swift-nio"),
      ],
      exclude: ["Corpus", "rest.proto"], swiftSettings: settings),
    .testTarget(
      name: "TaxonClientTests",
      dependencies: [
        "TaxonClient", "TaxonCalls", "TaxonFixtures", "TaxonTransport", "TaxonErrors", "TaxonProtobuf",
        "TaxonResilience", "CNghttp2", dependency("Logging", "swift-log"), dependency("NIOCore", "swift-nio"),
        dependency("NIOEmbedded", "swift-nio"), dependency("NIOPosix", "swift-nio"),
      ],
      exclude: ["Corpus"], swiftSettings: settings),
    .testTarget(
      name: "TaxonSchemaTests", dependencies: ["TaxonSchema", "TaxonProtobuf"], swiftSettings: settings),
    .testTarget(
      name: "TaxonPythonTests", dependencies: ["TaxonPython", "TaxonSchema", "TaxonProtobuf"], swiftSettings: settings),
    .testTarget(
      name: "TaxonSwiftTests", dependencies: ["TaxonSwift", "TaxonSchema", "Taxon"], exclude: ["Corpus", "Schemas"],
      // Generated code has to do under these too.
      swiftSettings: settings + [
        .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
      ]),
    .testTarget(
      name: "TaxonTestingTests",
      dependencies: [
        "TaxonTesting", "OctoLLM", "Taxon", "TaxonFixtures", dependency("Logging", "swift-log"),
        dependency("Metrics", "swift-metrics"), dependency("MetricsTestKit", "swift-metrics"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "OctoLLMTests",
      dependencies: [
        "OctoLLM", "Taxon", "TaxonFixtures", "TaxonTesting", dependency("GRDB", "GRDB.swift", trait: "Programs"),
        dependency("Logging", "swift-log"),
        dependency("Metrics", "swift-metrics"), dependency("MetricsTestKit", "swift-metrics"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "TaxonTests",
      dependencies: [
        "Taxon", "TaxonCalls", "TaxonFixtures", "TaxonTesting", "TaxonTransport", "TaxonServer",
        dependency("Logging", "swift-log"),
        dependency("Metrics", "swift-metrics"), dependency("MetricsTestKit", "swift-metrics"),
        dependency("NIOCore", "swift-nio"), dependency("NIOPosix", "swift-nio"),
        dependency("NIOSSL", "swift-nio-ssl", trait: "TLS"),
        dependency("ServiceLifecycle", "swift-service-lifecycle", trait: "ServiceLifecycle"),
      ],
      exclude: ["Corpus"], swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
