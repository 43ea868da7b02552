// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// What every failure answers, whether a schema in hand declares it or not. With Foundation, `localizedDescription` is
/// the message.
public protocol TaxonomyError: ErrorWithCause, LocalizedError, Hashable, Sendable, CustomStringConvertible {
  /// Who declared it: a DNS name, such as "octollm.dev".
  var domain: String { get }
  /// What it is, such as "TASK_NOT_FOUND"; with the domain, its identity.
  var code: String { get }
  /// The gRPC status with which it travels.
  var status: StatusCode { get }
  /// The text for people, in English. Holds no personal and no internal data.
  var message: String { get }
  /// The HTTP status with which it travels, 400 to 599.
  var httpStatus: Int { get }
  /// How bad it is for the operators of the service.
  var severity: Severity { get }
  /// Whether the same call may succeed later.
  var retry: RetryClass { get }
  /// What it tells the circuit breaker of the endpoint that raised it.
  var breaker: BreakerClass { get }
  /// True when nothing has happened yet, so that a retry is safe whatever the method.
  var isRetrySafe: Bool { get }
  /// How long to wait before a retry: what the one who threw it says, else what its schema declares.
  var retryAfter: Duration? { get }
  /// Names of the categories it is in, outermost first.
  var categories: [String] { get }
  /// Its safe fields as text, by their names in the schema.
  var metadata: [String: String] { get }
  /// The fields of the request that it says are wrong.
  var violations: [Google_Rpc_BadRequest.FieldViolation] { get }
  /// What this one occurrence carries.
  var context: ErrorContext { get set }
  /// Hands the error that it is, or holds, to a visitor.
  func acceptVisitor<Visitor: ErrorVisitor>(_ visitor: Visitor) -> Visitor.Answer
}

extension TaxonomyError {
  /// The error's name everywhere and for ever.
  public var identity: ErrorIdentity { ErrorIdentity(domain: domain, code: code) }

  /// Names this occurrence: the log of the server that raised it has the same id. Nil until it is sent.
  public var instanceID: String? { context.instanceID }

  /// Standard details that came with it or go with it, and details of types that this process doesn't know.
  public var details: ErrorDetails { context.details }

  /// Every detail of the status that the error was read from, as it arrived, including those that have properties here:
  /// ErrorInfo, ErrorTraits, RetryInfo, the error itself. For an error of this process, what `fromCall` found; else
  /// empty.
  public var receivedDetails: [Google_Protobuf_Any] { context.receivedDetails }

  /// What the server left out of the error for lack of room: names of message types, "metadata.<key>", "message".
  public var omitted: [String] { context.omitted }

  /// True when a fault injector raised it on purpose: nothing went wrong. Sent in `ErrorTraits`.
  public var isInjected: Bool { context.isInjected }

  /// What led to it, in this process; never sent.
  public var cause: (any Error)? { context.cause }

  /// The taxonomy errors that led to it, nearest first, here and in the services behind.
  public var causes: [ErrorIdentity] { context.causes }

  /// Such as "TASK_NOT_FOUND: Task 42 not found".
  public var description: String {
    let message = message
    return message.isEmpty ? code : "\(code): \(message)"
  }

  /// As an error that no schema declares: identity, message and facts alone.
  public func acceptVisitor<Visitor: ErrorVisitor>(_ visitor: Visitor) -> Visitor.Answer {
    visitor.undeclared(RPCError(describing: self))
  }

  /// A copy that says how long to wait before a retry.
  public func retryAfter(_ duration: Duration?) -> Self {
    changingContext { $0.retryAfter = duration }
  }

  /// A copy that keeps what led to it. Only the identities of causes that are taxonomy errors are ever sent.
  ///
  /// Where it has a cause already, that becomes the end of the new one's chain, unless that ends with an error which is no
  /// taxonomy error, or has 16 errors.
  public func caused(by cause: any Error) -> Self {
    changingContext { context in
      context.cause = context.cause.map { chain(cause, endingWith: $0, links: 16) } ?? cause
    }
  }

  /// A copy with these details, instead of those it had.
  public func with(_ details: ErrorDetails) -> Self {
    changingContext { $0.details = details }
  }

  /// A copy with one more detail, behind those it has. Where its type is one that Taxon derives (ErrorInfo, ErrorTraits,
  /// RetryInfo, BadRequest, and what the schema says: QuotaFailure, PreconditionFailure, ResourceInfo, Help,
  /// LocalizedMessage, RequestInfo), it is sent in that one's stead.
  public func with<Detail: Message>(_ detail: Detail) -> Self {
    changingContext { $0.details.append(detail) }
  }

  /// A copy that is marked as the outcome of a call which this process made. A server does not pass such an error on
  /// where its method does not declare it: it answers `INTERNAL_ERROR` with the redacted chain, since what a
  /// dependency's failure means to a caller is for the method to say. Nor does it pass on the details that it has by now; those
  /// that are added later are sent.
  public func fromCall() -> Self {
    changingContext { context in
      context.isFromCall = true
      if context.receivedDetails.isEmpty, !context.details.isEmpty { context.receivedDetails = Array(context.details) }
    }
  }

  /// The declared error in it, whatever union or wrapper it came in; nil when it is another one.
  public func `as`<Declared: DeclaredError>(_ type: Declared.Type) -> Declared? {
    unwrapped(self) as? Declared
  }

  private func changingContext(_ change: (inout ErrorContext) -> Void) -> Self {
    var copy = self
    change(&copy.context)
    return copy
  }
}

/// The innermost error: what unions hold, and what an undeclared error that is known wraps.
func unwrapped(_ error: any TaxonomyError) -> any TaxonomyError {
  var error = error
  while let union = error as? any ErrorUnion {
    if let undeclared = union as? RPCError {
      return undeclared.declared ?? undeclared
    }
    error = union.wrapped
  }
  return error
}

/// A cause with another one at the end of its chain, where that can take one.
private func chain(_ cause: any Error, endingWith last: any Error, links: Int) -> any Error {
  guard links > 1, var link = cause as? any TaxonomyError else { return cause }
  link.context.cause = link.cause.map { chain($0, endingWith: last, links: links - 1) } ?? last
  return link
}

// What Foundation asks of errors that are shown to people. Foundation's own defaults are out of sight in a file that does
// not import it (upcoming feature MemberImportVisibility), as generated ones don't.
extension TaxonomyError {
  /// What `localizedDescription` shows: the message, or the code where there is none.
  public var errorDescription: String? {
    let message = message
    return message.isEmpty ? code : message
  }

  /// Nothing: the message says it.
  public var failureReason: String? { nil }
  /// Nothing.
  public var recoverySuggestion: String? { nil }
  /// Nothing.
  public var helpAnchor: String? { nil }
}

/// What names an error everywhere and for ever: who declared it, and its code there.
public struct ErrorIdentity: Hashable, Sendable {
  /// A DNS name the owner of the taxonomy controls, such as "octollm.dev".
  public var domain: String
  /// Such as "TASK_NOT_FOUND".
  public var code: String

  /// An identity from its parts.
  public init(domain: String, code: String) {
    self.domain = domain
    self.code = code
  }
}

extension ErrorIdentity: CustomStringConvertible {
  /// Such as "octollm.dev/TASK_NOT_FOUND".
  public var description: String { "\(domain)/\(code)" }
}

/// Makes something of an error, such as its trailers. An error hands itself over, whatever union or wrapper it is in,
/// without knowing the result; this spares the casts that `as(_:)` takes.
public protocol ErrorVisitor<Answer> {
  /// What is made of an error.
  associatedtype Answer

  /// Visits an error with a schema: `declaration` has its facts, `publicPayload` what may leave the process.
  func declared(_ error: some DeclaredError) -> Answer

  /// Visits a failure that its method does not declare: of a plain status and of an error without a schema, facts are all that
  /// is known.
  func undeclared(_ error: RPCError) -> Answer
}
