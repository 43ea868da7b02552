// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A failed call as a JSON answer over HTTP says it, in the form of OctoLLM's standard:
/// `{"error": code, "message": text, "details": {…}, "retry_after": seconds}`. The last is there only when a time is known.
public struct ErrorBody: Hashable, Sendable {
  /// The HTTP status of the answer.
  public let httpStatus: Int
  /// For `Retry-After`: whole seconds, rounded up.
  public let retryAfter: Int64?
  /// The body: UTF-8, of `application/json`.
  public let json: [UInt8]
  /// Names this occurrence, here and in the log.
  public let instanceID: String

  /// The answer for an error. Details are its safe fields, with the types that JSON has for them.
  public init(_ error: some TaxonomyError) {
    self.init(sent: asSent(error))
  }

  /// The answer for anything thrown. What is no taxonomy error, and has no conversion to one, becomes `INTERNAL_ERROR`
  /// with nothing of what it says.
  public init(_ error: some Error) {
    self.init(sent: asSent(RPCError.lift(error)))
  }

  private init(sent error: any TaxonomyError) {
    httpStatus = WireFacts.httpStatus(error.httpStatus, error.status)
    retryAfter = error.retryAfter.map(\.waitSeconds)
    instanceID = InstanceID(error.instanceID).text
    var members: [JSONValue.Member] = [
      .init("error", .string(error.code)), .init("message", .string(error.message)),
      .init("details", .object(JSONDetails(error).fields)),
    ]
    if let retryAfter { members.append(.init("retry_after", .int(retryAfter))) }
    json = JSONValue.object(members).body
  }
}
