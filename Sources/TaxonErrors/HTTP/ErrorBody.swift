// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A failed call as a JSON answer over HTTP says it.
public struct ErrorBody: Hashable, Sendable {
  /// The two forms of the answer.
  public enum Form: Hashable, Sendable {
    /// OctoLLM's standard, `application/json`: `{"error": code, "message": text, "details": {…}, "retry_after": seconds}`. The
    /// last is there only when a time is known.
    case standard
    /// Problem details (RFC 9457), `application/problem+json`: `type`, `title`, `status`, `detail` and `instance`, and as extensions
    /// `code`, `domain`, `details` and, where there are such, `retry_after`, `request_id`, `resources`, `quota`, `preconditions`
    /// and `help`.
    case problem
  }

  /// The HTTP status of the answer.
  public let httpStatus: Int
  /// For `Content-Type`.
  public let contentType: String
  /// For `Retry-After`: whole seconds, rounded up (RFC 9110 §10.2.3).
  public let retryAfter: Int64?
  /// For `Content-Language`: the language of the message, where it is not English.
  public let contentLanguage: String?
  /// Whether the message depends on `Accept-Language`, which `Vary` has to say then (RFC 9110 §12.5.5).
  public let variesByLanguage: Bool
  /// The body, in UTF-8.
  public let json: [UInt8]
  /// Domain and code of what is answered; OctoLLM's standard has no place for the domain in the body.
  public let identity: ErrorIdentity
  /// Names this occurrence, here and in the log.
  public let instanceID: String

  /// The answer for an error.
  ///
  /// Details are its safe fields, with the types that JSON has for them. Those of an `INTERNAL_ERROR` of Taxon's, which stands for
  /// what no schema declares, are the instance id alone.
  ///
  /// The message is in the language that the request asks for, where the schema has it: a body of HTTP is the text for people, of
  /// which there is one, and HTTP's own negotiation is about just that (RFC 9110 §12.5.4; RFC 9457 §3.1 for problems).
  ///
  /// - Parameter options: Only `languages` and `requestID` count.
  public init(_ error: some TaxonomyError, as form: Form = .standard, _ options: WireOptions = WireOptions()) {
    self.init(sent: asSent(error), form, httpStatus: nil, options)
  }

  /// The answer for an error that is HTTP's own: a path, verb or type that the server does not have, say.
  ///
  /// - Parameter httpStatus: Instead of the error's own HTTP status, 400 to 599.
  package init(_ error: some TaxonomyError, as form: Form, httpStatus: Int) {
    self.init(sent: asSent(error), form, httpStatus: httpStatus, WireOptions())
  }

  /// The answer for anything thrown. What is not a taxonomy error, and has no conversion to one, becomes `INTERNAL_ERROR`
  /// with nothing of what it says.
  public init(_ error: some Error, as form: Form = .standard, _ options: WireOptions = WireOptions()) {
    self.init(sent: asSent(RPCError.lift(error)), form, httpStatus: nil, options)
  }

  private init(sent error: any TaxonomyError, _ form: Form, httpStatus: Int?, _ options: WireOptions) {
    let httpStatus = WireFacts.httpStatus(httpStatus ?? error.httpStatus, error.status)
    self.httpStatus = httpStatus
    identity = error.identity
    retryAfter = error.retryAfter.map(\.waitSeconds)
    instanceID = InstanceID(error.instanceID).text
    let isUnforeseen = error.identity == CallError.InternalError.declaration.identity
    let details: [JSONValue.Member] =
      isUnforeseen ? [.init("instance_id", .string(instanceID))] : JSONDetails(error).members
    let declared = error as? any DeclaredError
    let localized = error.context.ownDetails.localizedMessage.map { [$0] } ?? declared?.localizedMessages ?? []
    variesByLanguage = !localized.isEmpty
    let chosen = localized.isEmpty ? nil : options.languages.flatMap { LanguageRanges($0).choose(localized) }
    contentLanguage = chosen?.locale
    let message = chosen?.message ?? error.message
    var members: [JSONValue.Member]
    switch form {
    case .standard:
      contentType = "application/json"
      members = [.init("error", .string(error.code)), .init("message", .string(message))]
    case .problem:
      contentType = "application/problem+json"
      members = Problem(error.identity).members(message, httpStatus, instanceID)
    }
    members.append(.init("details", .object(details)))
    if let retryAfter { members.append(.init("retry_after", .int(retryAfter))) }
    // The standard's form has no place for more.
    if form == .problem, !isUnforeseen {
      members += JSONDetails.derived(error, requestID: declared == nil ? nil : options.requestID)
    }
    json = JSONValue.object(members).body
  }
}

/// What RFC 9457 calls a problem type.
private struct Problem {
  let identity: ErrorIdentity

  init(_ identity: ErrorIdentity) {
    self.identity = identity
  }

  /// The members of a problem, without `details` and `retry_after`.
  func members(_ message: String, _ status: Int, _ instanceID: String) -> [JSONValue.Member] {
    [
      .init("type", .string(type)), .init("title", .string(title)), .init("status", .int(status)),
      .init("detail", .string(message)), .init("instance", .string(Self.tag(Self.owner, "instance:" + instanceID))),
      .init("code", .string(identity.code)), .init("domain", .string(identity.domain)),
    ]
  }

  private static var owner: String { CallError.InternalError.declaration.domain }
  private var isPlain: Bool { identity.domain == RPCError.plainDomain }

  /// A tag URI (RFC 4151) of domain and code, such as `tag:octollm.dev,2026:TASK_NOT_FOUND`: a taxonomy promises no page for each
  /// of its errors, and a URI that is not meant to be looked up should not be one of HTTP (RFC 9457 §3.1.1). A plain gRPC status
  /// says no more than HTTP's status does, which is `about:blank` (§4.2.1).
  private var type: String { isPlain ? "about:blank" : Self.tag(identity.domain, identity.code) }

  /// The same for all occurrences (RFC 9457 §3.1.3): the words of the code.
  private var title: String {
    let words = identity.code.lowercased().replacing("_", with: " ")
    return words.prefix(1).uppercased() + words.dropFirst()
  }

  /// A tag URI. The year is part of the name and stays what it is.
  private static func tag(_ domain: String, _ name: String) -> String {
    "tag:\(encoded(domain)),2026:\(encoded(name))"
  }

  /// Leaves what may stand in a segment of a path (RFC 3986 §3.3) but for commas, and percent-encodes the rest.
  private static func encoded(_ text: String) -> String {
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: ":"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        encoded += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return encoded
  }
}
