// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation

/// The compiler of protobuf schemas: what PROTOC_PATH names, else `protoc` on the PATH.
enum Protoc {
  /// The descriptors of the schemas and of all they import, with their positions, as a FileDescriptorSet.
  ///
  /// Ends the command when protoc finds a mistake; protoc has reported it then.
  static func descriptors(of files: [String], folders: [String]) throws -> [UInt8] {
    let output = FileManager.default.temporaryDirectory.appending(path: "taxon-\(UUID().uuidString).binpb")
    defer { try? FileManager.default.removeItem(at: output) }
    let protoc = Process()
    protoc.executableURL = URL(filePath: "/usr/bin/env")
    protoc.arguments =
      [ProcessInfo.processInfo.environment["PROTOC_PATH"] ?? "protoc"]
      + (folders + [taxonProtos]).map { "--proto_path=\($0)" }
      + ["--include_imports", "--include_source_info", "--descriptor_set_out=\(output.path)"] + files
    try protoc.run()
    protoc.waitUntilExit()
    switch protoc.terminationStatus {
    case 0: return Array(try Data(contentsOf: output))
    case 127:
      throw ValidationError(
        "protoc is not installed; install it (Debian and Ubuntu: apt-get install protobuf-compiler; "
          + "macOS: brew install protobuf), or name it in the environment variable PROTOC_PATH")
    default: throw ExitCode.failure
    }
  }

  /// The folder with taxon/ and google/rpc/: that of the package this command was built from.
  private static let taxonProtos = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Protos").path
}
