// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Inputs for the fuzz target, and those that it has failed on (Scripts/fuzz).
@Suite struct ClientCorpusTests {
  // What is wrong ends the process, here as under the fuzzer.
  @Test func everyInputLeavesTheClientInOrder() throws {
    let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Corpus/client")
    let files = try FileManager.default.contentsOfDirectory(at: corpus, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files { fuzzClient(Array(try Data(contentsOf: file))) }
  }
}
