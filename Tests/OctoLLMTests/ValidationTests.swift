// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon
import Testing

@Suite struct ValidationTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var contract: TaskContract
    var field: String
    var description: String
    var testDescription: String { "\(field): \(description)" }
  }

  static let wrong = [
    Case(contract: .init(priority: 5), field: "contract.description", description: "Description is required"),
    Case(
      contract: .init(description: " \n\t", priority: 5), field: "contract.description",
      description: "Description cannot be blank"),
    Case(
      contract: .init(description: String(repeating: "x", count: 10_001), priority: 5), field: "contract.description",
      description: "Description exceeds the maximum length of 10000 characters"),
    Case(
      contract: .init(description: "x", priority: 0), field: "contract.priority",
      description: "Priority must be between 1 and 10"),
    Case(
      contract: .init(description: "x", priority: 11), field: "contract.priority",
      description: "Priority must be between 1 and 10"),
    Case(
      contract: .init(description: "x", priority: 5, timeout: 0), field: "contract.timeout",
      description: "Timeout must be positive"),
    Case(
      contract: .init(description: "x", priority: 5, timeout: -1), field: "contract.timeout",
      description: "Timeout must be positive"),
    Case(
      contract: .init(description: "x", priority: 5, requiredCapabilities: ["a", " "]),
      field: "contract.required_capabilities[1]", description: "Capability cannot be blank"),
  ]

  @Test(arguments: wrong) func oneMistakeIsInvalidInput(_ wrong: Case) {
    #expect {
      try CreateTaskRequest(contract: wrong.contract).validate()
    } throws: { error in
      guard case .invalidInput(let error) = error as? ValidationError else { return false }
      return error.field == wrong.field && error.descriptionField == wrong.description
    }
  }

  @Test func allMistakesComeInOneError() {
    #expect {
      try CreateTaskRequest(contract: .init(priority: 11, timeout: 0)).validate()
    } throws: { error in
      guard case .validationErrors(let error) = error as? ValidationError else { return false }
      #expect(error.message == "Validation failed with 3 errors")
      return error.violations.map(\.field) == ["contract.description", "contract.priority", "contract.timeout"]
    }
  }

  @Test(arguments: [
    TaskContract(description: "x", priority: 1), TaskContract(description: "x", priority: 10, timeout: 1),
    TaskContract(description: String(repeating: "ü", count: 10_000), priority: 5),
  ])
  func whatIsWithinTheBoundsPasses(_ contract: TaskContract) throws {
    try CreateTaskRequest(contract: contract).validate()
  }

  @Test func aRequestWithoutAContractIsInvalid() {
    #expect {
      try CreateTaskRequest().validate()
    } throws: { error in
      (error as? ValidationError)?.violations.map(\.field) == ["contract"]
    }
  }

  @Test(arguments: [-1, 1001]) func aPageSizeOutOfBoundsIsInvalid(_ size: Int32) {
    #expect {
      _ = try ListTasksRequest(pageSize: size).query()
    } throws: { error in
      (error as? ValidationError)?.violations.map(\.field) == ["page_size"]
    }
  }

  @Test func aPageTokenIsGoodForItsFilterOnly() throws {
    let query = try ListTasksRequest(status: .pending, pageToken: "1.7").query()
    #expect(query.size == 100)
    #expect(query.after?.text == "1.7")
    #expect(throws: ValidationError.self) { _ = try ListTasksRequest(status: .failed, pageToken: "1.7").query() }
  }

  @Test(arguments: [TaskStatus.unspecified, .unrecognized(9)]) func aStatusMustBeOne(_ status: TaskStatus) {
    #expect(throws: ValidationError.self) { try UpdateTaskStatusRequest(taskID: "1", status: status).validate() }
  }
}
