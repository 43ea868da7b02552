// SPDX-License-Identifier: Apache-2.0

/// How a method is called by REST: what a schema's option `google.api.http` says (google/api/http.proto, HttpRule).
public struct HTTPRule: Sendable, Hashable, CustomStringConvertible {
  /// The HTTP method, such as "GET"; "*" for any.
  public let verb: String
  /// The path template, such as "/v1/tasks/{task_id}".
  public let template: String
  /// The field of the request that the body is; "*" when the body is the request, empty when there is no body.
  public let body: String
  /// The field of the response that the answer's body is; empty when it is the response.
  public let responseBody: String

  /// A rule of a method.
  public init(_ verb: String, _ template: String, body: String = "", responseBody: String = "") {
    self.verb = verb
    self.template = template
    self.body = body
    self.responseBody = responseBody
  }

  /// Such as "GET /v1/tasks/{task_id}".
  public var description: String { "\(verb) \(template)" }
}
