// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The compiler of protobuf schemas.
enum Protoc {
  /// There is none.
  struct Missing: Error, CustomStringConvertible {
    var what: String
    var description: String {
      """
      \(what). Install protoc, which reads the .proto files (Debian and Ubuntu: apt-get install protobuf-compiler; \
      macOS: brew install protobuf), or name it in the environment variable PROTOC_PATH.
      """
    }
  }

  /// What PROTOC_PATH names, else the first one on the PATH.
  static func find() throws -> URL {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["PROTOC_PATH"], !path.isEmpty {
      guard FileManager.default.isExecutableFile(atPath: path) else {
        throw Missing(what: "PROTOC_PATH is \(path), which is no executable file")
      }
      return URL(filePath: path)
    }
    // An editor's PATH may lack the folder where Homebrew installs.
    let folders =
      (environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/usr/local/bin", "/opt/homebrew/bin"]
    let candidates = folders.map { URL(filePath: "\($0)/protoc") }
    guard let protoc = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
      throw Missing(what: "protoc is not installed")
    }
    return protoc
  }
}
