// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Inputs for the fuzz targets, and those that they have failed on (Scripts/fuzz).
@Suite struct CorpusTests {
  // What is wrong ends the process, here as under the fuzzer.
  @Test(
    arguments: [("binary", fuzzBinary), ("json", fuzzJSON), ("text", fuzzText)]
      as [(String, @Sendable ([UInt8]) -> Void)])
  func everyInputIsAMessageOrAnError(folder: String, fuzz: @Sendable ([UInt8]) -> Void) throws {
    let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Corpus/\(folder)")
    let files = try FileManager.default.contentsOfDirectory(at: corpus, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    for file in files { fuzz(Array(try Data(contentsOf: file))) }
  }
}
