// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon

/// A request to say all that a server says of an error.
///
/// It begins with a line of three words: `error`, the budget in bytes, and the full name of the error's message, which follows.
/// The answer is a line `written` and an object in JSON, or `refused` before the reason why the message cannot be read.
struct Sending {
  private let budget: Int
  private let type: any DeclaredError.Type
  private let payload: ArraySlice<UInt8>

  /// Nil for a request of another kind. Traps when the request has another form: the tests and this program belong together.
  init?(request: [UInt8]) {
    let end = request.firstIndex(of: UInt8(ascii: "\n")) ?? request.endIndex
    let words = String(decoding: request[..<end], as: UTF8.self).split(separator: " ")
    guard words.first == "error" else { return nil }
    guard words.count == 3, let budget = Int(words[1]),
      let type = ErrorRegistry.failures[typeURL: "/\(words[2])"]
    else { preconditionFailure("no error \(words)") }
    self.budget = budget
    self.type = type
    payload = request[(end + 1)...]
  }

  /// The answer.
  var answer: [UInt8] {
    do {
      return Array("written\n".utf8) + (try said())
    } catch {
      return Array("refused\n\(error)".utf8)
    }
  }

  private func said() throws -> [UInt8] {
    var error = try type.init(decoding: payload) as any DeclaredError
    error.context.instanceID = "0123456789abcdef"
    return try said(of: error)
  }

  private func said(of error: some DeclaredError) throws -> [UInt8] {
    let status = WireStatus(error, budget: budget)
    let said: [String: Any] = [
      "message": error.message, "description": "\(error)", "metadata": error.metadata,
      "json": String(decoding: ErrorBody(error).json, as: UTF8.self), "http_status": error.httpStatus,
      "violations": error.violations.map { [$0.field, $0.description] },
      "wire_message": status.message, "details": Data(status.details).base64EncodedString(), "dropped": status.dropped,
      "pushback": status.retryPushback.map { Int($0) } ?? -1, "retry_after": status.retryAfter.map { Int($0) } ?? -1,
    ]
    return Array(try JSONSerialization.data(withJSONObject: said))
  }
}
