// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import Testing

@Suite struct JSONTests {
  @Test func theSnippetWritesWhatItHasRead() throws {
    #expect(try jsonSnippet() == #"{"taskId":"42","status":"TASK_STATUS_RUNNING"}"#)
  }

  @Test func anErrorSaysWhere() {
    let text = """
      {
        "taskId": "42",
        "status": "LATE"
      }
      """
    let error = #expect(throws: JSONDecodingError.self) { try TaskRecord(json: text) }
    #expect(
      error?.description == "octollm.v1.TaskRecord.status: there is no value LATE, at status, line 3, column 13")
  }
}
