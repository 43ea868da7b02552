// SPDX-License-Identifier: Apache-2.0

/// The error that leaves the process for another one.
func asSent(_ error: any TaxonomyError) -> any TaxonomyError {
  var error = error
  while let union = error as? any ErrorUnion {
    if let undeclared = union as? RPCError { return undeclared.asSent }
    error = union.wrapped
  }
  return error
}

extension RPCError {
  /// The error that a caller gets for it: what came out of a call is not passed on.
  package var asSent: any TaxonomyError {
    if context.isFromCall { return CallError.InternalError(cause: self) }
    return declared ?? self
  }
}

extension RPCError {
  /// An error that ended a method which does not declare it, and what its caller is told instead.
  package struct Undeclared {
    /// Which one, for logs: its domain and code, or the type of a foreign error.
    package let name: String
    /// The error itself, for logs.
    package let thrown: RPCError
    /// For the caller. Of an error of this process it says nothing, not even which: nobody has decided that callers may
    /// know. Of one that a call brought it has the identity, by which a chain of services can be followed.
    package let sent: CallError.InternalError
  }

  /// This error as one that a method does not declare; nil when it may leave by the method as it is.
  ///
  /// What may leave, unless a call brought it: a plain gRPC status; what Taxon reports of a call (`CallError`); an error
  /// of the method's list; and what `passes` lets through.
  ///
  /// - Parameters:
  ///   - failure: The method's failure type, whose members are what it declares.
  ///   - passes: Whether an error may leave by every method.
  package func undeclared(by failure: any ErrorUnion.Type, passes: (ErrorIdentity) -> Bool) -> Undeclared? {
    if context.isFromCall {
      return Undeclared(name: "\(identity)", thrown: self, sent: CallError.InternalError(cause: self))
    }
    guard let declared else {
      if domain == Self.plainDomain { return nil }
      return checked(failure, passes)
    }
    if let internalError = declared as? CallError.InternalError {
      // `lift` has made it of a foreign error, or the handler has done the same by hand.
      guard let cause = internalError.cause, !(cause is any TaxonomyError) else { return nil }
      return Undeclared(name: String(reflecting: type(of: cause)), thrown: self, sent: internalError)
    }
    let type = ObjectIdentifier(type(of: declared))
    if CallError.members.contains(where: { ObjectIdentifier($0) == type }) { return nil }
    return checked(failure, passes)
  }

  private func checked(_ failure: any ErrorUnion.Type, _ passes: (ErrorIdentity) -> Bool) -> Undeclared? {
    let identity = identity
    if failure.members.contains(where: { $0.declaration.identity == identity }) || passes(identity) { return nil }
    return Undeclared(name: "\(identity)", thrown: self, sent: CallError.InternalError())
  }
}
