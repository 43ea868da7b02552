// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

@testable import OctoLLM

@Suite struct FallbackReaderTests {
  @Test func theReplicaAnswersWhenThePrimaryFails() async throws {
    let store = try TaskStore()
    let task = try await store.create(.valid())
    let reader = FallbackReader(primary: store, replica: try store.snapshot(), logger: quiet)
    store.close()
    #expect(try await reader.task(task.taskID) == task)
    #expect(try await reader.tasks(TaskQuery()).tasks == [task])
  }

  @Test func whenBothFailTheSecondErrorHasTheFirstAsItsCause() async throws {
    let stores = [try TaskStore(), try TaskStore()]
    for store in stores { store.close() }
    let reader = FallbackReader(primary: stores[0], replica: stores[1], logger: quiet)
    let error = await failure(of: Orchestrator.GetTaskError.self) { try await reader.task("42") }
    guard case .database(let error) = error else { throw error ?? RPCError(.ok) }
    #expect(error.cause != nil)
  }

  @Test func thePrimaryIsAskedFirst() async throws {
    let store = try TaskStore()
    let replica = try store.snapshot()
    let task = try await store.create(.valid())
    #expect(try await replica.task(task.taskID) == nil)
    #expect(try await FallbackReader(primary: store, replica: replica, logger: quiet).task(task.taskID) == task)
  }
}
