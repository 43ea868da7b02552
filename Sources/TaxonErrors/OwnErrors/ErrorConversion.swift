// SPDX-License-Identifier: Apache-2.0

extension ErrorUnion {
  /// Any error as a case: a member, also out of another union; what a foreign error's conversion gives
  /// (`TaxonomyErrorConvertible`); a `CancellationError` as `CANCELLED`; else `other`, with `INTERNAL_ERROR` in it that
  /// keeps the error as its cause. A declared error that is not a member is in `other` too; a server does not send that.
  public static func lift(_ error: any Error) -> Self {
    if let error = error as? Self { return error }
    if let error = error as? any TaxonomyError { return taking(error) }
    if let error = error as? ContextError { return lift(error.underlying).adding(error.contexts) }
    if let foreign = error as? any TaxonomyErrorConvertible {
      let converted = foreign.taxonomyError
      return taking(converted.cause == nil ? converted.caused(by: foreign) : converted)
    }
    if error is CancellationError { return other(.cancelled) }
    var internalError = CallError.InternalError(cause: error)
    internalError.context.hidesCauses = true
    return other(RPCError(internalError))
  }

  /// Runs code that throws anything and lifts what it throws.
  ///
  /// ```swift
  /// let task = try Orchestrator.GetTaskError.catching(context: "loading task \(id)") {
  ///   try store.read(id)
  /// } mapping: {
  ///   .database(operation: "read", error: "\($0)")
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - context: What is being done, for the log (`contexts`); empty for nothing. Made only when there is an error.
  ///   - mapping: Says which error of the method a lower one amounts to here; nil leaves it to `lift`. It is not asked about
  ///     the method's own errors, a plain status made here and a cancellation, which stay what they are. The lower error becomes the cause, unless the
  ///     mapping gives one.
  public static func catching<Value>(
    context: @autoclosure () -> String = "", _ body: () throws -> Value, mapping: (any Error) -> Self? = { _ in nil }
  ) throws(Self) -> Value {
    do {
      return try body()
    } catch {
      throw lift(error, context(), mapping)
    }
  }

  /// Runs code that throws anything and lifts what it throws. Asks `mapping` about errors of one type:
  ///
  /// ```swift
  /// } mapping: { (failure: StoreFailure) in
  ///   .database(operation: failure.operation, error: failure.text)
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - context: What is being done, for the log (`contexts`); empty for nothing. Made only when there is an error.
  ///   - mapping: Says which error of the method a lower one of this type amounts to here; nil leaves it to `lift`. The lower
  ///     error becomes the cause, unless the mapping gives one.
  public static func catching<Value, Lower: Error>(
    context: @autoclosure () -> String = "", _ body: () throws -> Value, mapping: (Lower) -> Self?
  ) throws(Self) -> Value {
    do {
      return try body()
    } catch {
      throw lift(error, context()) { found(Lower.self, in: $0).flatMap(mapping) }
    }
  }

  /// Runs code that throws anything and lifts what it throws.
  ///
  /// - Parameters:
  ///   - context: What is being done, for the log (`contexts`); empty for nothing. Made only when there is an error.
  ///   - mapping: Says which error of the method a lower one amounts to here; nil leaves it to `lift`. It is not asked about
  ///     the method's own errors, a plain status made here and a cancellation, which stay what they are. The lower error becomes the cause, unless the
  ///     mapping gives one.
  public nonisolated(nonsending) static func catching<Value>(
    context: @autoclosure () -> String = "", _ body: () async throws -> Value,
    mapping: (any Error) -> Self? = { _ in nil }
  ) async throws(Self) -> Value {
    do {
      return try await body()
    } catch {
      throw lift(error, context(), mapping)
    }
  }

  /// Runs code that throws anything and lifts what it throws. Asks `mapping` about errors of one type.
  ///
  /// - Parameters:
  ///   - context: What is being done, for the log (`contexts`); empty for nothing. Made only when there is an error.
  ///   - mapping: Says which error of the method a lower one of this type amounts to here; nil leaves it to `lift`. The lower
  ///     error becomes the cause, unless the mapping gives one.
  public nonisolated(nonsending) static func catching<Value, Lower: Error>(
    context: @autoclosure () -> String = "", _ body: () async throws -> Value, mapping: (Lower) -> Self?
  ) async throws(Self) -> Value {
    do {
      return try await body()
    } catch {
      throw lift(error, context()) { found(Lower.self, in: $0).flatMap(mapping) }
    }
  }

  private static func found<Lower: Error>(_ type: Lower.Type, in error: any Error) -> Lower? {
    error as? Lower ?? (error as? any TaxonomyError).flatMap { unwrapped($0) as? Lower }
  }

  private static func lift(_ error: any Error, _ context: String, _ mapping: (any Error) -> Self?) -> Self {
    let lifted = mapped(error, mapping) ?? lift(error)
    return context.isEmpty ? lifted : lifted.context(context)
  }

  /// What the mapping makes of a lower error; nil for one that stays what it is.
  private static func mapped(_ error: any Error, _ mapping: (any Error) -> Self?) -> Self? {
    let context = error as? ContextError
    let lower = context?.underlying ?? error
    if lower is CancellationError { return nil }
    if let error = lower as? any TaxonomyError {
      let innermost = unwrapped(error)
      if let undeclared = innermost as? RPCError {
        // A plain status of this process is what somebody has decided on.
        if !undeclared.context.isFromCall, undeclared.domain == RPCError.plainDomain { return nil }
      } else if Self(innermost) != nil {
        return nil
      }
    }
    guard let mapped = mapping(lower) else { return nil }
    return (mapped.cause == nil ? mapped.caused(by: lower) : mapped).adding(context?.contexts ?? [])
  }
}

/// An error type that knows which declared error it amounts to. Conform a library's error type, so that code which
/// throws it can be lifted into a method's errors:
///
/// ```swift
/// extension GRDB.DatabaseError: @retroactive TaxonomyErrorConvertible {
///   public var taxonomyError: any TaxonomyError { SystemError.DatabaseError(operation: "query", error: description) }
/// }
/// ```
public protocol TaxonomyErrorConvertible: Error {
  /// The declared error. The original becomes its cause, unless it has one.
  var taxonomyError: any TaxonomyError { get }
}

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
  /// An error that ended a method which does not declare it, and what its caller gets instead.
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
      var sent = internalError
      sent.context.hidesCauses = true
      return Undeclared(name: String(reflecting: type(of: cause)), thrown: self, sent: sent)
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
