// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Inputs for the fuzz target `templates`, and those that it has failed on (Scripts/fuzz).
@Suite struct TemplateCorpusTests {
  @Test func everyInputIsAnswered() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Corpus/templates")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    // What is wrong ends the process, here as under the fuzzer.
    for file in files { fuzzTemplates(Array(try Data(contentsOf: file))) }
  }
}
