// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
import PackageDescription

let echo: [Target.Dependency] = [
  "EchoMessages",
  .product(name: "GRPCCore", package: "grpc-swift-2"),
  .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
  .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
]

let package = Package(
  name: "grpc-swift-benchmarks",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: "https://github.com/grpc/grpc-swift-2.git", exact: "2.4.3"),
    .package(url: "https://github.com/grpc/grpc-swift-nio-transport.git", exact: "2.9.2"),
    .package(url: "https://github.com/grpc/grpc-swift-protobuf.git", exact: "2.4.1"),
    .package(url: "https://github.com/apple/swift-protobuf.git", exact: "1.39.0"),
  ],
  targets: [
    .target(
      name: "EchoMessages",
      dependencies: [
        .product(name: "GRPCCore", package: "grpc-swift-2"),
        .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ]),
    .executableTarget(name: "grpc-swift-server", dependencies: echo),
    .executableTarget(name: "grpc-swift-client", dependencies: echo),
    // The code is made while it is built, as grpc-swift-2's users are told to.
    .executableTarget(
      name: "grpc-swift-hello",
      dependencies: Array(echo.dropFirst()) + [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      plugins: [.plugin(name: "GRPCProtobufGenerator", package: "grpc-swift-protobuf")]),
  ],
  swiftLanguageModes: [.v6]
)
