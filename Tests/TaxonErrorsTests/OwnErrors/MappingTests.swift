// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

/// A lower error that becomes a declared one where it is caught.
@Suite struct MappingTests {
  private let notFound = ValidationError.TaskNotFound(taskID: "42")
  private struct CacheFailure: Error { var text: String }

  private func caught(_ body: () throws(GetTaskError) -> Void) -> GetTaskError? {
    do throws(GetTaskError) { try body() } catch { return error }
    return nil
  }

  @Test func aLowerErrorBecomesWhatTheCallSays() throws {
    let error = try #require(
      caught { () throws(GetTaskError) in
        try GetTaskError.catching {
          throw ForeignError()
        } mapping: {
          .database(operation: "select", error: "\($0)")
        }
      })
    guard case .database(let database) = error else { return #expect(Bool(false), "another case") }
    #expect(database.operation == "select")
    #expect(database.cause is ForeignError)
  }

  @Test func aMappingComesBeforeTheConversionOfTheType() {
    let error = caught { () throws(GetTaskError) in
      try GetTaskError.catching {
        throw StorageFailure(text: "locked")
      } mapping: { (failure: StorageFailure) in
        .taskNotFound(taskID: failure.text)
      }
    }
    #expect(error == .taskNotFound(taskID: "locked"))
    #expect(error?.cause is StorageFailure)
  }

  @Test func aMappingOfOneTypeLeavesOthersAlone() {
    func thrown(_ lower: any Error) -> GetTaskError? {
      caught { () throws(GetTaskError) in
        try GetTaskError.catching {
          throw lower
        } mapping: { (failure: CacheFailure) in
          .database(operation: "cache", error: failure.text)
        }
      }
    }
    #expect(thrown(CacheFailure(text: "gone")) == .database(operation: "cache", error: "gone"))
    #expect(thrown(StorageFailure(text: "locked")) == .database(operation: "query", error: "locked"))
    #expect(thrown(ForeignError())?.as(CallError.InternalError.self) != nil)
  }

  @Test func theMethodsOwnErrorsAndCancellationsAreNotMapped() {
    func thrown(_ error: any Error) -> GetTaskError? {
      caught { () throws(GetTaskError) in
        try GetTaskError.catching {
          throw error
        } mapping: {
          .database(operation: "select", error: "\($0)")
        }
      }
    }
    #expect(thrown(notFound) == .taskNotFound(notFound))
    #expect(thrown(GetTaskError.taskNotFound(notFound)) == .taskNotFound(notFound))
    #expect(thrown(ValidationError.taskNotFound(notFound)) == .taskNotFound(notFound))
    #expect(thrown(RPCError(.aborted, "no"))?.status == .aborted)
    #expect(thrown(GetTaskError.other(RPCError(.aborted, "no")))?.status == .aborted)
    #expect(thrown(CancellationError())?.status == .cancelled)
    #expect(thrown(ContextError(CancellationError(), contexts: ["loading"]))?.status == .cancelled)
  }

  @Test func whatACallBroughtIsMappedUnlessTheMethodDeclaresIt() throws {
    let down = RPCError(.unavailable, "down").fromCall()
    let arm = ResourceError.ArmUnavailable(requiredCapabilities: []).fromCall()
    for lower: any Error in [
      down, arm, OctoLLMError.other(down), GetTaskError.other(down), GetTaskError.lift(arm),
      ResourceError.armUnavailable(arm),
    ] {
      let error = try #require(
        caught { () throws(GetTaskError) in
          try GetTaskError.catching {
            throw lower
          } mapping: { _ in
            .database(operation: "call", error: "")
          }
        })
      guard case .database(let database) = error else { return #expect(Bool(false), "another case") }
      #expect(!database.context.isFromCall)
      #expect(database.causes.first == (lower as? any TaxonomyError)?.identity)
    }
  }

  @Test func aMappingOfOneTypeLooksIntoUnions() {
    let error = caught { () throws(GetTaskError) in
      try GetTaskError.catching {
        throw OctoLLMError.resource(.armUnavailable(requiredCapabilities: ["vision"]))
      } mapping: { (arm: ResourceError.ArmUnavailable) in
        .taskNotFound(taskID: arm.requiredCapabilities.joined())
      }
    }
    #expect(error == .taskNotFound(taskID: "vision"))
  }

  @Test func theCauseThatAMappingGivesStays() {
    let error = caught { () throws(GetTaskError) in
      try GetTaskError.catching {
        throw ForeignError()
      } mapping: { _ in
        .database(operation: "select", error: "", cause: CacheFailure(text: "gone"))
      }
    }
    #expect(error?.cause is CacheFailure)
  }

  @Test func asynchronousCodeHasContextsAndMappings() async {
    func load() async throws -> Int {
      await Task.yield()
      return try withErrorContext("reading the index") { throw CacheFailure(text: "gone") }
    }
    do throws(GetTaskError) {
      _ = try await GetTaskError.catching(context: "loading task 42") {
        try await load()
      } mapping: { (failure: CacheFailure) in
        .database(operation: "cache", error: failure.text)
      }
      Issue.record("nothing was thrown")
    } catch {
      #expect(error == .database(operation: "cache", error: "gone"))
      #expect(error.contexts == ["loading task 42", "reading the index"])
      #expect(error.cause is CacheFailure)
    }
  }
}
