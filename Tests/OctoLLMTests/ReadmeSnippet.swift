// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon

/// README's first snippet, which test_readme.py compares with this text.
func readmeSnippet(_ orchestrator: Orchestrator.Client, show: (TaskRecord) -> Void) async {
  do {
    show(try await orchestrator.getTask(GetTaskRequest(taskID: "42")))
  } catch .taskNotFound(let error) {
    print(error.taskID)
  } catch {
    print(error.code, error.message, error.retryAfter as Any)
  }
}
