// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import OctoLLM
import Taxon

struct ExecuteCall: Call {
  static let configuration = CommandConfiguration(
    commandName: "execute", abstract: "Have an arm carry out a task, and print the outcome.")
  @Argument(help: "The task's id.") var id: String
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Orchestrator.ExecuteTaskError) -> Answer {
    do {
      return Answer(try await Orchestrator.Client(channel).executeTask(.init(taskID: id), options: options))
    } catch .armUnavailable(let error) {
      return Answer(error, hint: "no arm can do all of: \(error.requiredCapabilities.joined(separator: ", "))")
    } catch .rateLimit(let error) {
      return Answer(error, hint: "the arm takes \(error.limit) tasks in \(error.window) s")
    } catch .timeout(let error) {
      return Answer(error, hint: "the task's contract allows \(error.timeout) s")
    }
  }
}

struct ExecuteAllCall: Call {
  static let configuration = CommandConfiguration(
    commandName: "execute-all", abstract: "Execute every pending task; a failure ends only its own task.")
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Orchestrator.ListTasksError) -> Answer {
    let result = try await Orchestrator.Client(channel).executeAll(options: options)
    let done = result.successes.map { "done    \($0.key)  \($0.value.output ?? "")" }
    let failed = result.failures.map { "failed  \($0.key)  \($0.error.code): \($0.error.message)" }
    return Answer(
      (done + failed + ["\(done.count) done, \(failed.count) failed"]).joined(separator: "\n"),
      json: [
        "successes": .array(result.successes.map(\.value.json)),
        "failures": .array(
          result.failures.map { failure in
            [
              "task_id": .string(failure.key), "error": .string(failure.error.message),
              "error_code": .string(failure.error.code),
            ]
          }),
      ], isFailure: !result.isComplete)
  }
}
