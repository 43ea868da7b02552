// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import OctoLLM
import Taxon

struct CreateCall: Call {
  static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a task.")
  @Argument(help: "What is to be done.") var description: String
  @Option(help: "1 to 10, 10 the most urgent.") var priority: Int32 = 5
  @Option(name: .customLong("task-timeout"), help: "Seconds an arm may take.") var taskTimeout: Int32?
  @Option(name: .customLong("capability"), help: "What an arm must be able to do; may be given more than once.")
  var capabilities: [String] = []
  @Option(name: .customLong("label"), help: "name=value; may be given more than once.") var labels: [Label] = []
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Orchestrator.CreateTaskError) -> Answer {
    let contract = TaskContract(
      description: description, priority: priority, timeout: taskTimeout, requiredCapabilities: capabilities,
      labels: Dictionary(labels.map { ($0.name, $0.value) }) { $1 })
    do {
      return Answer(try await Orchestrator.Client(channel).createTask(.init(contract: contract), options: options))
    } catch .validationErrors(let error) {
      return Answer(error, hint: "\(error.errors.count) things are wrong: mend all of them at once")
    }
  }
}

struct GetCall: Call {
  static let configuration = CommandConfiguration(commandName: "get", abstract: "Print a task.")
  @Argument(help: "The task's id.") var id: String
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Orchestrator.GetTaskError) -> Answer {
    do {
      return Answer(try await Orchestrator.Client(channel).getTask(.init(taskID: id), options: options))
    } catch .taskNotFound(let error) {
      return Answer(error, hint: "octollm call list prints the tasks that there are instead of \(error.taskID)")
    }
  }
}

struct ListCall: Call {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List tasks, oldest first.")
  @Option(help: "Only tasks in this state, such as pending.") var status: TaskStatus = .unspecified
  @Option(help: "1 to 1000 tasks; 0 stands for 100.") var pageSize: Int32 = 0
  @Option(help: "The token of the page before.") var pageToken = ""
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Orchestrator.ListTasksError) -> Answer {
    let request = ListTasksRequest(status: status, pageSize: pageSize, pageToken: pageToken)
    let page = try await Orchestrator.Client(channel).listTasks(request, options: options)
    let more = page.nextPageToken.isEmpty ? [] : ["more: --page-token \(page.nextPageToken)"]
    let lines = page.tasks.isEmpty ? ["no tasks"] : page.tasks.map(\.text) + more
    return Answer(
      lines.joined(separator: "\n"),
      json: ["tasks": .array(page.tasks.map(\.json)), "next_page_token": .string(page.nextPageToken)])
  }
}

struct UpdateCall: Call {
  static let configuration = CommandConfiguration(commandName: "update", abstract: "Set a task's status.")
  @Argument(help: "The task's id.") var id: String
  @Argument(help: "pending, running, completed, failed or cancelled.") var status: TaskStatus
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Orchestrator.UpdateTaskStatusError) -> Answer {
    let request = UpdateTaskStatusRequest(taskID: id, status: status)
    do {
      return Answer(try await Orchestrator.Client(channel).updateTaskStatus(request, options: options))
    } catch .authorization(let error) {
      return Answer(error, hint: "\(error.principal) may not \(error.action)")
    }
  }
}

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

struct PreprocessCall: Call {
  static let configuration = CommandConfiguration(
    commandName: "preprocess", abstract: "Have the reflex layer look at a text.")
  @Argument(help: "The text.") var text: String
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Reflex.PreprocessError) -> Answer {
    do {
      let reply = try await Reflex.Client(channel).preprocess(.init(text: text), options: options)
      return Answer(
        reply.cached ? "\(reply.text) (from the cache)" : reply.text,
        json: ["text": .string(reply.text), "cached": .bool(reply.cached)])
    } catch .piiDetected(let error) {
      return Answer(error, hint: "leave out \"\(error.excerpt)\"")
    }
  }
}

struct RaiseCall: Call {
  static let configuration = CommandConfiguration(
    commandName: "raise", abstract: "Rehearse an error: have the server raise it.")
  @Argument(help: "The error's domain, such as octollm.dev or reflex.octollm.dev.") var domain: String
  @Argument(help: "The error's code, such as DATABASE_ERROR.") var code: String
  @Option(help: "Answer after so many failures; 0 never does.") var times: Int32 = 0
  @Option(help: "Counts the failures.") var key = ""
  @Option(help: "Seconds the error asks to wait before a retry; without it those of the sample.")
  var retryAfter: Double?
  @OptionGroup var connection: Connection

  func call(_ channel: Channel, _ options: CallOptions) async throws(Rehearsal.RaiseError) -> Answer {
    let request = RaiseRequest(
      domain: domain, code: code, times: times, key: key,
      retryAfter: retryAfter.map { .init(Duration(boundedSeconds: $0)) })
    do {
      let reply = try await Rehearsal.Client(channel).raise(request, options: options)
      return Answer("answered after \(reply.failures) failures", json: ["failures": JSONValue(reply.failures)])
    } catch .other(let error) where error.status == .unimplemented {
      return Answer(error, hint: "rehearsals are only there after octollm serve --rehearsal")
    }
  }
}

extension TaskStatus: ExpressibleByArgument {
  /// A state by its word, or, so that mistakes can be tried out, by its number.
  public init?(argument: String) {
    if let status = TaskStatus(word: argument) {
      self = status
    } else if let number = Int32(argument) {
      self = TaskStatus(rawValue: number)
    } else {
      return nil
    }
  }
}

/// name=value.
struct Label: ExpressibleByArgument, Sendable {
  var name: String
  var value: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return nil }
    name = String(parts[0])
    value = String(parts[1])
  }
}
