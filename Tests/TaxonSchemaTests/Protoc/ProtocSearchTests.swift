// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

/// Where protoc is looked for.
@Suite struct ProtocSearchTests {
  private func find(_ environment: [String: String], files: Set<String>) throws -> String {
    try ProtocSearch(environment: environment, isExecutable: files.contains).find()
  }

  @Test func whatTheVariableNamesComesFirst() throws {
    let files: Set = ["/own/protoc", "/usr/bin/protoc", "/usr/bin/protoc-3"]
    #expect(try find(["PROTOC_PATH": "/own/protoc", "PATH": "/usr/bin"], files: files) == "/own/protoc")
    #expect(try find(["PROTOC_PATH": "protoc-3", "PATH": "/bin:/usr/bin"], files: files) == "/usr/bin/protoc-3")
    #expect(try find(["PROTOC_PATH": "", "PATH": "/bin:/usr/bin"], files: files) == "/usr/bin/protoc")
  }

  @Test func thePathComesBeforeTheUsualFolders() throws {
    let files: Set = ["/opt/homebrew/bin/protoc", "/nix/bin/protoc"]
    #expect(try find(["PATH": "/bin:/nix/bin"], files: files) == "/nix/bin/protoc")
  }

  /// As Xcode starts builds.
  @Test(arguments: [
    "/opt/homebrew/bin/protoc", "/usr/local/bin/protoc", "/opt/local/bin/protoc",
    "/home/linuxbrew/.linuxbrew/bin/protoc", "/usr/bin/protoc", "/Users/ada/.local/bin/protoc", "/Users/ada/bin/protoc",
  ])
  func theUsualFoldersAreLookedIntoWithoutAPath(file: String) throws {
    #expect(try find(["HOME": "/Users/ada"], files: [file]) == file)
    #expect(try find(["HOME": "/Users/ada", "PATH": "/bin:/sbin"], files: [file]) == file)
  }

  @Test func theErrorSaysWhereItLookedAndWhatToInstall() throws {
    let error = try #require(throws: ProtocSearch.Missing.self) { try find(["PATH": "/bin:/usr/bin"], files: []) }
    #expect(
      error.description == """
        protoc is not in /bin, /usr/bin, /opt/homebrew/bin, /usr/local/bin, /opt/local/bin, \
        /home/linuxbrew/.linuxbrew/bin. Install protoc, which reads the .proto files (Debian and Ubuntu: apt-get \
        install protobuf-compiler; macOS: brew install protobuf), or name it in the environment variable PROTOC_PATH.
        """)
  }

  @Test func aVariableThatNamesNoFileIsAMistake() throws {
    let error = try #require(throws: ProtocSearch.Missing.self) {
      try find(["PROTOC_PATH": "/gone/protoc", "PATH": "/usr/bin"], files: ["/usr/bin/protoc"])
    }
    #expect(error.description.hasPrefix("PROTOC_PATH is /gone/protoc, which is not an executable file. Install protoc"))
  }
}
