// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct ErrorCategoryTests {
  private let notFound = ValidationError.TaskNotFound(taskID: "42")

  /// As a client receives an error that is newer than it.
  private func received(_ domain: String, _ categories: [String]) throws -> GetTaskError {
    let info = Google_Rpc_ErrorInfo(reason: "NEWER", domain: domain, metadata: [:])
    let traits = ErrorTraits(category: categories, severity: .warning)
    return GetTaskError.received(try status(.notFound, details: [pack(info), pack(traits)])).error
  }

  @Test func aDeclaredErrorIsACaseOfItsCategoriesWhateverItIsIn() {
    for error: any TaxonomyError in [
      notFound, GetTaskError.taskNotFound(notFound), OctoLLMError.validation(.taskNotFound(notFound)),
      RPCError(notFound),
    ] {
      #expect(error.as(ValidationError.self) == .taskNotFound(notFound))
      #expect(error.as(OctoLLMError.self) == .validation(.taskNotFound(notFound)))
      #expect(error.is(ValidationError.self))
      #expect(!error.is(SystemError.self))
      #expect(error.as(SystemError.self) == nil)
    }
  }

  @Test func anErrorThatIsNewerThanThisProgramIsInItsCategories() throws {
    let newer = try received("octollm.dev", ["ValidationError", "Deeper"])
    #expect(newer.is(ValidationError.self))
    #expect(newer.as(ValidationError.self)?.code == "NEWER")
    #expect(newer.is(OctoLLMError.self))
    #expect(!newer.is(SystemError.self))
    #expect(!newer.is(GetTaskError.self))
  }

  @Test func anotherDomainsCategoryOfTheNameIsAnother() throws {
    let foreign = try received("example.com", ["ValidationError"])
    #expect(!foreign.is(ValidationError.self))
    #expect(!foreign.is(OctoLLMError.self))
  }

  @Test(arguments: [RPCError(.unavailable, "down"), RPCError(.invalidArgument), .cancelled])
  func aPlainStatusIsInNone(_ error: RPCError) {
    #expect(!error.is(ValidationError.self))
    #expect(!error.is(OctoLLMError.self))
    #expect(error.is(RPCError.self) == false)
  }

  @Test func isCaughtByItsCategory() {
    do {
      throw GetTaskError.taskNotFound(notFound) as any Error
    } catch let error as any TaxonomyError where error.is(ValidationError.self) {
      #expect(error.code == "TASK_NOT_FOUND")
    } catch {
      Issue.record("not caught: \(error)")
    }
  }

  @Test func isNamedByDomainAndPath() {
    #expect(ValidationError.category?.description == "octollm.dev/ValidationError")
    #expect(OctoLLMError.category?.description == "octollm.dev")
    #expect(GetTaskError.category == nil)
  }
}
