// SPDX-License-Identifier: Apache-2.0

extension ErrorUnion {
  /// Any error as a case: a member, also out of another union; what a foreign error's conversion gives
  /// (`TaxonomyErrorConvertible`); a `CancellationError` as `CANCELLED`; else `other`, with `INTERNAL_ERROR` in it that
  /// keeps the error as its cause. A declared error that is not a member is in `other` too; a server does not send that.
  public static func lift(_ error: any Error) -> Self {
    if let error = error as? Self { return error }
    if let error = error as? any TaxonomyError { return taking(error) }
    if let foreign = error as? any TaxonomyErrorConvertible {
      let converted = foreign.taxonomyError
      return taking(converted.cause == nil ? converted.caused(by: foreign) : converted)
    }
    if error is CancellationError { return other(.cancelled) }
    return other(RPCError(CallError.InternalError(cause: error)))
  }

  /// Runs code that throws anything and lifts what it throws.
  public static func catching<Value>(_ body: () throws -> Value) throws(Self) -> Value {
    do {
      return try body()
    } catch {
      throw lift(error)
    }
  }

  /// Runs code that throws anything and lifts what it throws.
  public nonisolated(nonsending) static func catching<Value>(
    _ body: () async throws -> Value
  ) async throws(Self) -> Value {
    do {
      return try await body()
    } catch {
      throw lift(error)
    }
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
