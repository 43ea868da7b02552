// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The compiler of protobuf schemas.
enum Protoc {
  static let missing = """
    protoc, which reads the .proto files, is not installed. Install it (Debian and Ubuntu: apt-get install \
    protobuf-compiler; macOS: brew install protobuf), or name it in the environment variable PROTOC_PATH.
    """

  /// What PROTOC_PATH names, else the first one on the PATH.
  static func find() -> URL? {
    let environment = ProcessInfo.processInfo.environment
    if let path = environment["PROTOC_PATH"], !path.isEmpty {
      return FileManager.default.isExecutableFile(atPath: path) ? URL(filePath: path) : nil
    }
    // An editor's PATH may lack the folder where Homebrew installs.
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init) + ["/usr/local/bin", "/opt/homebrew/bin"]
    return folders.map { URL(filePath: "\($0)/protoc") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }
}
