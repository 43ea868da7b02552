// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import OctoLLM
import Taxon

struct WatchCall: Call {
  static let configuration = CommandConfiguration(
    commandName: "watch-task",
    abstract: "Print the changes of a task's state as they happen, until it is completed, failed or cancelled.",
    discussion: "With --json, each change is a line with one JSON object.")
  @Argument(help: "The task's id.") var id: String
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Orchestrator.WatchTaskError) -> Answer {
    do {
      for try await change in Orchestrator.Client(channel).watchTask(.init(taskID: id), options: options) {
        Answer(change.text, json: change.json).print(asJSON: connection.json)
      }
      return .nothing
    } catch .taskNotFound(let error) {
      return Answer(error, hint: "octollm call list prints the tasks that there are instead of \(error.taskID)")
    }
  }
}
