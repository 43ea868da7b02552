// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Inputs for the fuzz target `door`, and those that it has failed on (Scripts/fuzz).
@Suite struct CorpusTests {
  // What is wrong ends the process, here as under the fuzzer.
  @Test func everyRequestHasItsAnswer() throws {
    let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Corpus/door")
    let files = try FileManager.default.contentsOfDirectory(at: corpus, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files { fuzzDoor(Array(try Data(contentsOf: file))) }
  }
}
