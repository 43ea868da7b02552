// SPDX-License-Identifier: Apache-2.0
import Taxon

extension ListTasksRequest {
  /// The query that the request stands for.
  ///
  /// - Throws: Everything that is wrong with the request as one error.
  public func query() throws(ValidationError) -> TaskQuery {
    var violations = Violations()
    violations.check((0...1000).contains(pageSize), field: "page_size", "Page size must be between 1 and 1000")
    violations.check(
      status == .unspecified || TaskStatus.all.contains(status), field: "status", "There is no such status")
    var token: PageToken?
    if !pageToken.isEmpty {
      token = PageToken(pageToken)
      violations.check(
        token?.status == status, field: "page_token", "Page token does not come from a list with this filter")
    }
    try violations.throwIfAny(ValidationError.init)
    return TaskQuery(status: status, size: pageSize == 0 ? 100 : Int(pageSize), after: token)
  }
}

extension UpdateTaskStatusRequest {
  /// Throws what is wrong with the request.
  public func validate() throws(ValidationError) {
    var violations = Violations()
    violations.check(TaskStatus.all.contains(status), field: "status", "A task can be in any state but this")
    try violations.throwIfAny(ValidationError.init)
  }
}
