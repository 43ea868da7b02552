// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import Testing

@Suite struct AccessTests {
  private let access = Access(tokens: ["write": .init("ada"), "read": .init("bob", mayWrite: false)])

  private func context(_ authorization: String?) -> ServerContext {
    var metadata = Metadata()
    metadata["authorization"] = authorization
    return ServerContext(metadata: metadata)
  }

  @Test(arguments: [
    (nil, "no token"), ("Basic YTpi", "not a bearer token"), ("Bearer", "not a bearer token"),
    ("Bearer nope", "unknown token"),
  ])
  func whoeverHasNoTokenIsNotKnown(_ header: String?, _ reason: String) async throws {
    let service = OrchestratorService.quietly(try TaskStore(), access: access)
    do {
      _ = try await service.getTask(.init(taskID: "42"), context: context(header))
      Issue.record("found")
    } catch .authentication(let error) {
      #expect(error.reason == reason)
    }
  }

  @Test func aReaderMayReadAndNoMore() async throws {
    let service = OrchestratorService.quietly(try TaskStore(), access: access)
    #expect(try await service.listTasks(.init(), context: context("bearer read")).tasks.isEmpty)
    do {
      _ = try await service.createTask(.init(contract: .valid()), context: context("Bearer read"))
      Issue.record("created")
    } catch .authorization(let error) {
      #expect(error.action == "create tasks")
      #expect(error.principal == "bob")
      #expect(!error.message.contains("bob"), "who it was is personal")
    }
  }

  @Test func aWriterMayWrite() async throws {
    let service = OrchestratorService.quietly(try TaskStore(), access: access)
    let task = try await service.createTask(.init(contract: .valid()), context: context("Bearer write"))
    #expect(task.status == .pending)
  }
}
