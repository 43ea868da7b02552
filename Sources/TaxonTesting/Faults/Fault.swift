// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// One thing that goes wrong on purpose: an error, a pause, a broken stream or connection, or a pause and then one of the others.
///
/// ```swift
/// Fault.error("TASK_NOT_FOUND")                             // declared by the method, with fields that make sense
/// Fault.error(ValidationError.TaskNotFound(taskID: "42"))   // this very one
/// Fault.status(.unavailable).delayed(by: .milliseconds(50))
/// Fault.reset(.refusedStream)
/// Fault.error("DATABASE_ERROR").behind(messages: 3)         // a stream that breaks
/// ```
public struct Fault: Sendable, CustomStringConvertible {
  /// How the call ends; nil: it goes on behind the pause.
  var abort: Abort?
  /// How long the call waits before anything else happens to it.
  public private(set) var delay: Duration = .zero
  /// How many messages of the answer come first; nil: the call does not begin.
  public private(set) var messages: Int?
  /// What is wrong with the details of the error on the wire; nil: nothing.
  public private(set) var damage: Damage?
  /// Instead of what the error's sample says.
  var retryAfter: Duration?

  /// How a call ends on purpose.
  enum Abort: Sendable {
    /// A sample of an error that the method declares.
    case declared(ErrorName)
    /// This error, which the method declares.
    case error(any DeclaredError)
    /// A plain gRPC status, which may leave by every method.
    case status(RPCError)
    /// Without an error and without a message (gRPC A33, "200/OK Error Injection").
    case empty
    /// The stream or the connection breaks.
    case connection(ConnectionFault)
  }

  /// Damage to `grpc-status-details-bin`. Roads other than gRPC have no such header and show none of it.
  public enum Damage: Sendable, Hashable {
    /// The error's message and its fields in ErrorInfo are missing: a client knows which error it is, and no more.
    case payloadMissing
    /// The details end in their middle: a client has the status and the message.
    case truncated
    /// So many bytes, at most 32,768, come on top of the details, whatever the budget: clients whose limit on headers is lower refuse
    /// the answer.
    case oversized(bytes: Int)
  }

  /// The code with which a stream is reset (RFC 9113 §7).
  public enum Reset: String, Sendable, Hashable, CaseIterable {
    /// The server has not processed the call.
    case refusedStream = "REFUSED_STREAM"
    /// The call is no longer wanted.
    case cancel = "CANCEL"
    /// The server is at fault.
    case internalError = "INTERNAL_ERROR"
    /// The client asks for too much.
    case enhanceYourCalm = "ENHANCE_YOUR_CALM"
    /// The client broke the protocol.
    case protocolError = "PROTOCOL_ERROR"

    var code: HTTP2ErrorCode {
      switch self {
      case .refusedStream: .refusedStream
      case .cancel: .cancel
      case .internalError: .internalError
      case .enhanceYourCalm: .enhanceYourCalm
      case .protocolError: .protocolError
      }
    }
  }

  private init(_ abort: Abort?) { self.abort = abort }

  // MARK: Kinds

  /// An error that the method declares, by its code or, where two domains have the same code, by `domain/code`. Its fields are those
  /// of its sample.
  public static func error(_ name: String) -> Fault { Fault(.declared(ErrorName(name))) }

  /// This error. A plain gRPC status is one, too.
  public static func error(_ error: some TaxonomyError) -> Fault {
    var innermost: any TaxonomyError = error
    while let union = innermost as? any ErrorUnion {
      let wrapped = union.wrapped
      if wrapped is RPCError {
        return Fault(.status(wrapped as? RPCError ?? RPCError(wrapped.status, wrapped.message)))
      }
      innermost = wrapped
    }
    if let declared = innermost as? any DeclaredError { return Fault(.error(declared)) }
    return Fault(.status(RPCError(innermost.status, innermost.message)))
  }

  /// A plain gRPC status.
  ///
  /// - Parameters:
  ///   - code: `.ok` ends the call well and without a message, which for a unary call is INTERNAL (gRPC A33); on a client
  ///     UNIMPLEMENTED, as an answer without its message is.
  ///   - message: For people.
  public static func status(_ code: StatusCode, _ message: String = "Injected on purpose") -> Fault {
    Fault(code == .ok ? .empty : .status(RPCError(code, message)))
  }

  /// A pause, behind which the call goes on.
  public static func delay(_ duration: Duration) -> Fault { Fault(nil).delayed(by: duration) }

  /// The stream is reset. On HTTP/1.1 the connection closes without an answer.
  public static func reset(_ code: Reset = .internalError) -> Fault { Fault(.connection(.reset(code.code))) }

  /// The connection takes no more calls. A server says so with a graceful GOAWAY and answers this call all the same; on a client
  /// the attempt is one of those that the server did not process, and is repeated on another connection.
  public static let goAway = Fault(.connection(.goAway))

  /// The connection closes at once, with all the calls on it.
  public static let connectionClosed = Fault(.connection(.close))

  // MARK: More of it

  /// The same behind a pause.
  public func delayed(by duration: Duration) -> Fault { changed { $0.delay = duration } }

  /// The same behind so many messages of the answer, 1 or more: the next one does not come. An answer with fewer messages is left
  /// alone; a unary answer is one message, and does not come either.
  ///
  /// On a server it happens at the handler's next write, or at the end of the answer.
  public func behind(messages: Int) -> Fault { changed { $0.messages = messages } }

  /// The same with damaged details.
  public func damaged(_ damage: Damage) -> Fault { changed { $0.damage = damage } }

  /// The same with another time to wait before a retry.
  public func retryAfter(_ duration: Duration) -> Fault { changed { $0.retryAfter = duration } }

  private func changed(_ change: (inout Fault) -> Void) -> Fault {
    var copy = self
    change(&copy)
    return copy
  }

  /// The handler answers all the same.
  var leavesTheAnswer: Bool {
    switch abort {
    case nil, .connection(.goAway): true
    default: false
    }
  }

  /// As the header `taxon-fault` spells it, such as "TASK_NOT_FOUND;delay=50ms".
  public var description: String {
    var parts = [kind].compactMap { $0 }
    if delay != .zero { parts.append("delay=\(FaultDuration(delay))") }
    if let messages { parts.append("messages=\(messages)") }
    switch damage {
    case .payloadMissing?: parts.append("damage=payload")
    case .truncated?: parts.append("damage=truncated")
    case .oversized(let bytes)?: parts.append("damage=\(bytes)")
    case nil: break
    }
    if let retryAfter { parts.append("retry-after=\(FaultDuration(retryAfter))") }
    return parts.joined(separator: ";")
  }

  /// What it is in one word, for metrics and logs: a code, "status=UNAVAILABLE", "reset=CANCEL", …, "delay".
  var label: String { kind ?? "delay" }

  private var kind: String? {
    switch abort {
    case .declared(let name): name.description
    case .error(let error): error.code
    case .status(let error): "status=\(error.status.name)"
    case .empty: "status=OK"
    case .connection(.reset(let code)): "reset=\(code.name)"
    case .connection(.goAway): "goaway"
    case .connection(.close): "close"
    case nil: nil
    }
  }
}

/// The code of an error, with its domain where that was given.
struct ErrorName: Sendable, Hashable, CustomStringConvertible {
  let domain: String?
  let code: String

  /// Reads `code` or `domain/code`.
  init(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    domain = parts.count == 2 ? String(parts[0]) : nil
    code = String(parts.last ?? "")
  }

  func matches(_ identity: ErrorIdentity) -> Bool {
    identity.code == code && (domain == nil || domain == identity.domain)
  }

  var description: String { domain.map { "\($0)/\(code)" } ?? code }
}

/// A duration as the header spells it: whole milliseconds, or whole seconds.
struct FaultDuration: CustomStringConvertible {
  let duration: Duration
  /// Longer pauses are refused.
  static let longest = Duration.seconds(3600)

  init(_ duration: Duration) { self.duration = duration }

  /// Reads "50ms", "2s"; nil for anything else, and for more than an hour.
  init?(_ text: some StringProtocol) {
    let (unit, factor): (String, Int64) = text.hasSuffix("ms") ? ("ms", 1) : ("s", 1000)
    guard text.hasSuffix(unit) else { return nil }
    let digits = text.dropLast(unit.count)
    guard (1...7).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int64(digits), number * factor <= 3_600_000
    else { return nil }
    duration = .milliseconds(number * factor)
  }

  var description: String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
  }
}
