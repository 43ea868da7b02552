// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonSwift

@Suite struct IdentifierTests {
  /// A property of these names would stand for a member that every error has, and `localizedDescription` would say it.
  @Test(arguments: [
    "error_description", "failure_reason", "recovery_suggestion", "help_anchor", "omitted", "received_details",
    "message",
  ])
  func aFieldOfAnErrorLeavesTheMembersOfErrorsAlone(_ name: String) {
    let property = Identifier.property(name, isInError: true)
    #expect(property.hasSuffix("Field"))
    #expect(Identifier.property(name, isInError: false) + "Field" == property)
  }
}
