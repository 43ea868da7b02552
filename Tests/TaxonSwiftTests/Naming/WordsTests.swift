// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

@testable import TaxonSwift

@Suite struct WordsTests {
  @Test(arguments: [
    ("task_id", "taskID"), ("url_path", "urlPath"), ("image_urls", "imageURLs"), ("id", "id"), ("GetTask", "getTask"),
    ("LookUpURL", "lookUpURL"), ("HTTPServer", "httpServer"), ("fooBAR", "fooBar"), ("sha256_sum", "sha256Sum"),
    ("__field__name4_", "fieldName4"), ("x_1", "x1"), ("llm_api", "llmAPI"), ("", ""),
  ])
  func becomeLowerCamelCase(name: String, expected: String) {
    #expect(Words(name).lowerCamel == expected)
  }
}
