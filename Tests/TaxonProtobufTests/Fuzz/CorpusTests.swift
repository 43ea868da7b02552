// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Inputs for the fuzz targets, and those that they have failed on (Scripts/fuzz).
@Suite struct CorpusTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Corpus")

  @Test(arguments: [("binary", fuzz), ("json", fuzzJSON)] as [(String, @Sendable ([UInt8]) -> Void)])
  func everyInputIsAMessageOrAnError(_ target: String, _ fuzz: @Sendable ([UInt8]) -> Void) throws {
    let files = try FileManager.default.contentsOfDirectory(
      at: Self.folder.appending(path: target), includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    // What is wrong ends the process, here as under the fuzzer.
    for file in files { fuzz(Array(try Data(contentsOf: file))) }
  }
}
