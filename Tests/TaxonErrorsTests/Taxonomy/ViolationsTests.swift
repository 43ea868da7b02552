// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct ViolationsTests {
  @Test func gathersEveryViolationAndThrowsOneError() {
    var violations = Violations()
    violations.check(false, field: "description", "Description is required")
    violations.check(true, field: "timeout", "Timeout must be positive")
    violations.check(false, field: "priority", "Priority must be between 1 and 10")
    do throws(CreateTaskError) {
      try violations.throwIfAny { CreateTaskError.validationErrors(errors: $0) }
      Issue.record("nothing was thrown")
    } catch .validationErrors(let error) {
      #expect(error.errors.map(\.field) == ["description", "priority"])
      #expect(error.errors.map(\.description) == ["Description is required", "Priority must be between 1 and 10"])
      #expect(error.message == "Validation failed with 2 errors")
      #expect(error.violations == error.errors)
    } catch {
      Issue.record("another case: \(error)")
    }
  }

  @Test func keepsAHundredAndSaysHowManyMoreThereAre() {
    var violations = Violations()
    for index in 0..<100 { violations.add(field: "capabilities[\(index)]", "blank") }
    #expect(violations.summary == violations.found)
    for _ in 0..<1000 {
      violations.check(
        false,
        field: {
          Issue.record("made a name"); return "x"
        }(),
        {
          Issue.record("made a text"); return "y"
        }())
    }
    #expect(violations.found.count == 100)
    #expect(violations.notKept == 1000)
    do throws(CreateTaskError) {
      try violations.throwIfAny { CreateTaskError.validationErrors(errors: $0) }
      Issue.record("nothing was thrown")
    } catch {
      #expect(error.violations.count == 101)
      #expect(error.violations.last?.field == "")
      #expect(error.violations.last?.description == "1000 more violations")
    }
  }

  @Test func throwsNothingWhenAllIsWell() throws {
    var violations = Violations()
    let isFine = violations.check(true, field: "a", "b")
    #expect(isFine)
    #expect(violations.isEmpty)
    try violations.throwIfAny { ValidationError.ValidationErrors(errors: $0) }
  }

  @Test func makesNoTextForWhatIsFine() {
    var violations = Violations()
    func text() -> String {
      Issue.record("made")
      return ""
    }
    violations.check(true, field: "a", text())
  }

  @Test func namesFieldsFromWhereTheyAre() {
    var violations = Violations()
    violations.within("task") { violations in
      violations.check(false, field: "priority", "too high")
      violations.within("arms[2]") { $0.add(field: "name", "empty") }
    }
    violations.add(field: "timeout", "negative")
    #expect(violations.found.map(\.field) == ["task.priority", "task.arms[2].name", "timeout"])
  }

  @Test func collectsTheViolationsOfWhatAnotherCheckThrows() throws {
    func validate(_ description: String) throws(CreateTaskError) -> String {
      guard !description.isEmpty else { throw .invalidInput(field: "description", description: "empty") }
      return description
    }
    var violations = Violations()
    try violations.within("task") { violations throws(CreateTaskError) in
      #expect(try violations.collect { () throws(CreateTaskError) in try validate("fine") } == "fine")
      #expect(try violations.collect { () throws(CreateTaskError) in try validate("") } == nil)
    }
    #expect(violations.found.map(\.field) == ["task.description"])
  }

  @Test func throwsOnWhatHasNoViolations() {
    var violations = Violations()
    #expect(throws: SystemError.DatabaseError(operation: "query", error: "")) {
      try violations.collect { () throws(SystemError.DatabaseError) in
        throw SystemError.DatabaseError(operation: "query", error: "")
      }
    }
    #expect(violations.isEmpty)
  }
}
