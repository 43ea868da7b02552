// SPDX-License-Identifier: Apache-2.0
import TaxonSchema
import Testing

@Suite struct WordsTests {
  @Test(arguments: [("TaskNotFound", "TASK_NOT_FOUND"), ("LLMError", "LLM_ERROR"), ("task-id", "TASK_ID")])
  func becomeUpperSnakeCase(name: String, expected: String) {
    #expect(Words(name).upperSnake == expected)
  }
}
