// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon

extension Walk {
  func streaming() async throws {
    section("Streaming", "the server tells each change of a task's state as it happens")
    let id = try await create("An octopus has eight arms.", needs: "summarise")
    var statuses: [TaskStatus] = []
    for try await change in orchestrator.watchTask(.init(taskID: id), options: Self.asOwner) {
      console.line("  " + "WatchTask".padded(to: Column.request) + console.styled(change.status.word, .green))
      statuses.append(change.status)
      // The stream is open and goes on while other calls are made.
      if change.status == .pending { _ = try await orchestrator.executeTask(.init(taskID: id), options: Self.asOwner) }
    }
    check(
      statuses == [.pending, .running, .completed],
      "the task should have been pending, running and completed, not \(statuses.map(\.word))")
    _ = stage.events.take()
    await expectStream("WatchTask 42", "TASK_NOT_FOUND")
  }

  /// A stream that should fail with an error, typed.
  private func expectStream(_ request: String, _ code: String) async {
    await expect(request, code) { () async throws(Orchestrator.WatchTaskError) in
      for try await _ in orchestrator.watchTask(.init(taskID: "42"), options: Self.asOwner) {}
    } typed: { error in
      if case .taskNotFound(let error) = error { error.taskID == "42" } else { false }
    }
  }
}
