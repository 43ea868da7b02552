// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import TaxonFixtures
import TaxonTesting
import Testing

@Suite(.leavesNothing, .timeLimit(.minutes(1))) struct SampleTests {
  private static let unions: [any ErrorUnion.Type] = [
    OctoLLMError.self, ReflexError.self, CallError.self, ConnectionError.self, SetupError.self,
  ]

  @Test(arguments: unions.flatMap { $0.members }.map { $0.declaration.identity })
  func everyFieldHasAValueThatIsAlwaysTheSame(_ identity: ErrorIdentity) throws {
    let type = try #require(Self.unions.flatMap { $0.members }.first { $0.declaration.identity == identity })
    try check(type)
  }

  private func check<Declared: DeclaredError>(_ type: Declared.Type) throws {
    let sample = type.sample
    #expect(sample == type.sample)
    #expect(sample.unknownFields.isEmpty)
    for (name, text) in sample.safeFields { #expect(!text.isEmpty, "\(name) is empty") }
    #expect(try Declared(decoding: sample.encoded()) == sample)
  }

  @Test func theyMakeSense() {
    #expect(ValidationError.TaskNotFound.sample.message == "Task task-42 not found")
    #expect(ResourceError.RateLimitError.sample.message == "Rate limit exceeded: 100 requests per 60s")
    #expect(ExternalError.LLMAPIError.sample.statusCode == 503)
    #expect(ResourceError.ArmUnavailable.sample.requiredCapabilities == ["vision", "speech"])
    #expect(ValidationError.ValidationErrors.sample.errors.map(\.field) == ["name", "name"])
  }

  @Test(arguments: Orchestrator.Methods.getTask.faults)
  func aTestGoesThroughWhatAMethodDeclares(_ fault: Orchestrator.GetTaskError.Fault) async throws {
    var error: Orchestrator.GetTaskError?
    try await withChannel(to: [Orchestrator.Fake().failing(with: fault)]) { channel, _ in
      error = await #expect(throws: Orchestrator.GetTaskError.self) {
        try await Orchestrator.Client(channel).getTask(.init(taskID: "1"))
      }
    }
    #expect(error?.identity == fault.error.identity)
    #expect(error?.isInjected == true)
    if case .other? = error { Issue.record("\(fault) is not typed") }
  }

  @Test func faultsAreNamedByTheirCodes() {
    let faults = Orchestrator.Methods.getTask.faults
    #expect(faults.map(\.description) == ["TASK_NOT_FOUND", "DATABASE_ERROR", "AUTHENTICATION_ERROR"])
    #expect(faults.first?.id == "octollm.dev/TASK_NOT_FOUND")
    #expect(Orchestrator.GetTaskError.faults.map(\.id) == faults.map(\.id))
  }
}
