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
