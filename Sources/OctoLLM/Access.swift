// SPDX-License-Identifier: Apache-2.0
import Taxon

/// Who may do what: bearer tokens, each of which belongs to a caller.
public struct Access: Sendable {
  /// A caller.
  public struct Caller: Hashable, Sendable {
    /// The owner of the token.
    public var name: String
    /// False: may only read.
    public var mayWrite: Bool

    /// A caller who may read and write, unless said otherwise.
    public init(_ name: String, mayWrite: Bool = true) {
      self.name = name
      self.mayWrite = mayWrite
    }
  }

  private let callers: [String: Caller]

  /// Access with these tokens.
  public init(tokens: [String: Caller]) { callers = tokens }

  /// Allows everything to every caller, without a token.
  public static let open = Access(tokens: [:])

  /// Who calls.
  ///
  /// - Throws: `AUTHENTICATION_ERROR` when the call has no token that is known.
  @discardableResult
  public func caller(_ context: ServerContext) throws(ValidationError.AuthenticationError) -> Caller {
    if callers.isEmpty { return Caller("anonymous") }
    guard let header = context.metadata["authorization"] else {
      throw ValidationError.AuthenticationError(reason: "no token")
    }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer" else {
      throw ValidationError.AuthenticationError(reason: "not a bearer token")
    }
    guard let caller = callers[String(parts[1])] else {
      throw ValidationError.AuthenticationError(reason: "unknown token")
    }
    return caller
  }

  /// Who calls, in order to change something.
  ///
  /// - Parameter action: What for, such as "create tasks".
  /// - Throws: `AUTHENTICATION_ERROR`, or `AUTHORIZATION_ERROR` when the token is only for reading.
  @discardableResult
  public func writer(_ context: ServerContext, to action: String) throws(ValidationError) -> Caller {
    let caller: Caller
    do {
      caller = try self.caller(context)
    } catch {
      throw .authentication(error)
    }
    guard caller.mayWrite else { throw .authorization(action: action, principal: caller.name) }
    return caller
  }
}
