// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct ErrorRegistryTests {
  @Test func findsATypeByItsIdentity() {
    let type = ErrorRegistry.octollmV1Errors["octollm.dev", "TASK_NOT_FOUND"]
    #expect(type is ValidationError.TaskNotFound.Type)
  }

  @Test func findsATypeByTheURLOfItsMessage() {
    let registry = ErrorRegistry.octollmV1Errors
    let name = "octollm.v1.ValidationError.TaskNotFound"
    #expect(registry[typeURL: "type.googleapis.com/\(name)"] is ValidationError.TaskNotFound.Type)
    #expect(registry[typeURL: "example.org/types/\(name)"] is ValidationError.TaskNotFound.Type)
    #expect(registry[typeURL: name] is ValidationError.TaskNotFound.Type)
  }

  @Test func knowsNothingElse() {
    let registry = ErrorRegistry.octollmV1Errors
    #expect(registry["taxon.dev", "TASK_NOT_FOUND"] == nil)
    #expect(registry["octollm.dev", "NOPE"] == nil)
    #expect(registry[typeURL: "type.googleapis.com/"] == nil)
    #expect(registry[typeURL: ""] == nil)
  }

  @Test func joinsRegistries() {
    let both = ErrorRegistry.octollmV1Errors + .taxonErrors
    #expect(both["taxon.dev", "CIRCUIT_OPEN"] is ConnectionError.CircuitOpen.Type)
    #expect(both["octollm.dev", "DATABASE_ERROR"] is SystemError.DatabaseError.Type)
    #expect(both.types.count == ErrorRegistry.octollmV1Errors.types.count + ErrorRegistry.taxonErrors.types.count)
    #expect(ErrorRegistry(.octollmV1Errors, .taxonErrors).types.count == both.types.count)
  }

  @Test func hasEveryErrorOfItsFileUnderItsOwnIdentity() {
    for type in ErrorRegistry.taxonErrors.types {
      #expect(type.declaration.domain == "taxon.dev")
      #expect(TaxonError.members.contains { $0 == type })
    }
    #expect(TaxonError.members.count == ErrorRegistry.taxonErrors.types.count)
  }
}
