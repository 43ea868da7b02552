// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonSchema

@Suite struct TemplateTests {
  @Test func aTemplateIsTextAndFields() throws {
    #expect(
      try Template("Task {task_id}: {n.count|no} {{x}} {why|a reason, maybe}").parts == [
        .text("Task "), .field(.init(name: "task_id")), .text(": "),
        .field(.init(name: "n", isCount: true, fallback: "no")), .text(" {x} "),
        .field(.init(name: "why", fallback: "a reason, maybe")),
      ])
  }

  @Test func aTemplateIsWrittenAsItWasRead() throws {
    let source = "Task {task_id}: {n.count|no} {{x}} {why|a reason, maybe}"
    #expect(try Template(source).source == source)
  }

  @Test(arguments: [
    ("{", Template.Mistake.open), ("a{b", .open), ("{a{b}", .open), ("}", .close), ("a}b", .close), ("{}", .empty),
    ("{|a}", .empty), ("{.count}", .empty), ("{a.b}", .suffix("a.b")), ("{a.count.b}", .suffix("a.count.b")),
  ])
  func bracesGoTogether(text: String, mistake: Template.Mistake) {
    #expect(throws: mistake) { try Template(text) }
  }

  @Test func emptyTextIsNoMistake() throws {
    #expect(try Template("").parts == [])
    #expect(try Template("{a|}").references == [.init(name: "a", fallback: "")])
  }
}
