// SPDX-License-Identifier: Apache-2.0

// Put beside the example by test_extension.py: a client in Swift that catches an error which was just added.
import OctoLLM
import Taxon

let channel = try Channel(CommandLine.arguments[1])
defer { channel.shutDown() }
do throws(Orchestrator.GetTaskError) {
  _ = try await Orchestrator.Client(channel).getTask(.init(taskID: "secret"))
  print("there was no error")
} catch .taskEmbargoed(let error) {
  print("caught \(error.taskID) \(error.days)")
} catch {
  print("caught as something else: \(error)")
}
