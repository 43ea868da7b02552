// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// Inputs for the fuzz targets, and those that they have failed on (Scripts/fuzz).
@Suite struct CorpusTests {
  @Test func everyRequestIsAnswered() throws {
    let folder = TestSchema.root.appending(path: "Tests/TaxonSwiftTests/Corpus/generator")
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    #expect(!files.isEmpty)
    // What is wrong ends the process, here as under the fuzzer.
    for file in files { fuzzGenerator(Array(try Data(contentsOf: file))) }
  }
}
