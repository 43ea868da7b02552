// SPDX-License-Identifier: Apache-2.0

/// Finds protoc: by PROTOC_PATH, then in the PATH, then in the folders of package managers, because Xcode starts builds
/// with a PATH that lacks them.
///
/// TaxonPlugin has this file too, by a symbolic link: plugins cannot depend on libraries. It is public because plugins
/// cannot see what is `package`.
public struct ProtocSearch {
  /// The environment's variables.
  public var environment: [String: String]
  /// Whether there is an executable file at a path.
  public var isExecutable: (String) -> Bool

  /// Makes a search.
  public init(environment: [String: String], isExecutable: @escaping (String) -> Bool) {
    self.environment = environment
    self.isExecutable = isExecutable
  }

  /// protoc was not found. Says where it was looked for and how to install it.
  public struct Missing: Error, Hashable, CustomStringConvertible {
    var what: String
    /// Such as "protoc is not in /usr/bin. Install protoc …".
    public var description: String {
      """
      \(what). Install protoc, which reads the .proto files (Debian and Ubuntu: apt-get install protobuf-compiler; \
      macOS: brew install protobuf), or name it in the environment variable PROTOC_PATH.
      """
    }
  }

  /// The path of protoc. PROTOC_PATH may also be a name without a folder, which is then searched for instead of
  /// "protoc".
  public func find() throws(Missing) -> String {
    var name = "protoc"
    if let path = environment["PROTOC_PATH"], !path.isEmpty {
      guard !path.contains("/") else {
        guard isExecutable(path) else { throw Missing(what: "PROTOC_PATH is \(path), which is not an executable file") }
        return path
      }
      name = path
    }
    let folders = folders
    for folder in folders where isExecutable("\(folder)/\(name)") { return "\(folder)/\(name)" }
    throw Missing(what: "\(name) is not in \(folders.joined(separator: ", "))")
  }

  /// The folders to search, each once.
  private var folders: [String] {
    var folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    // Homebrew on Apple silicon and on Intel, MacPorts, Homebrew on Linux, the system.
    folders += ["/opt/homebrew/bin", "/usr/local/bin", "/opt/local/bin", "/home/linuxbrew/.linuxbrew/bin", "/usr/bin"]
    if let home = environment["HOME"], !home.isEmpty { folders += ["\(home)/.local/bin", "\(home)/bin"] }
    var seen: Set<String> = []
    return folders.filter { seen.insert($0).inserted }
  }
}
