// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon

// test_readme.py compares README's snippets with this text.

/// README's first snippet.
func readmeSnippet(_ orchestrator: Orchestrator.Client, show: (TaskRecord) -> Void) async {
  do {
    show(try await orchestrator.getTask(GetTaskRequest(taskID: "42")))
  } catch .taskNotFound(let error) {
    print(error.taskID)
  } catch {
    print(error.code, error.message, error.retryAfter as Any)
  }
}

/// README's snippet of streaming.
func streamingSnippet(_ orchestrator: Orchestrator.Client, id: String, show: (StatusChange) -> Void) async {
  do {
    for try await change in orchestrator.watchTask(WatchTaskRequest(taskID: id)) {
      show(change)
    }
  } catch .taskNotFound(let error) {
    print(error.taskID)
  } catch {
    print(error.code, error.message)
  }
}

/// README's snippet of JSON.
func jsonSnippet() throws -> String {
  let record = try TaskRecord(json: #"{"taskId": "42", "status": "TASK_STATUS_RUNNING"}"#)
  let text = try record.jsonString(options: JSONEncodingOptions(registry: .octollmV1Orchestrator))
  return text
}
