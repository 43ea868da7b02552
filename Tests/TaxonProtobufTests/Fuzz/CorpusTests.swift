// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Inputs for the fuzz targets, and those that they have failed on (Scripts/fuzz).
@Suite struct CorpusTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Corpus")

  @Test func everyBinaryInputIsAMessageOrAnError() throws {
    let files = try FileManager.default.contentsOfDirectory(
      at: Self.folder.appending(path: "binary"), includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    // What is wrong ends the process, here as under the fuzzer.
    for file in files { fuzz(Array(try Data(contentsOf: file))) }
  }
}
