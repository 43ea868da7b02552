// SPDX-License-Identifier: Apache-2.0

/// An error that is no taxonomy error, and what was being done when it was thrown. `withErrorContext` throws it; `catching`, logs
/// and servers take the error inside for what it is, and keep the contexts.
public struct ContextError: ErrorWithCause {
  /// What was being done, outermost first.
  public var contexts: [String]
  /// What was thrown.
  public var underlying: any Error

  /// An error with what was being done when it was thrown.
  public init(_ underlying: any Error, contexts: [String]) {
    self.underlying = underlying
    self.contexts = contexts
  }

  /// What was thrown.
  public var cause: (any Error)? { underlying }
}

extension ContextError: CustomStringConvertible {
  /// Such as "executing task 42: loading task 42: the file is locked". For debugging: the text of the error inside may be anything.
  public var description: String { (contexts + ["\(underlying)"]).joined(separator: ": ") }
}

extension TaxonomyError {
  /// What was being done when the error was thrown, outermost first; for logs, never sent. A cause has its own.
  public var contexts: [String] { context.contexts }

  /// A copy that says what was being done when the error was thrown, around what it says of that already. It is for logs, and
  /// never sent.
  ///
  /// ```swift
  /// throw .taskNotFound(taskID: id).context("loading the parent of task \(child)")
  /// ```
  public func context(_ text: String) -> Self { adding([text]) }

  func adding(_ contexts: [String]) -> Self {
    var copy = self
    if !contexts.isEmpty { copy.context.contexts.insert(contentsOf: contexts, at: 0) }
    return copy
  }
}

/// Runs code, and has the error that it throws say what was being done.
///
/// ```swift
/// let task = try withErrorContext("loading task \(id)") { try store.read(id) }
/// ```
///
/// A taxonomy error keeps its type and has the text in `contexts`; any other error is thrown as a `ContextError` around it. In a
/// handler, `catching(context:)` does the same and makes the method's error of it.
///
/// - Parameter context: Made only when there is an error.
public func withErrorContext<Value>(_ context: @autoclosure () -> String, _ body: () throws -> Value) throws -> Value {
  do {
    return try body()
  } catch {
    throw contextual(error, context())
  }
}

/// Runs code, and has the error that it throws say what was being done. Taxonomy errors keep their types and have the text in
/// `contexts`; any other error is thrown as a `ContextError` around it.
///
/// - Parameter context: Made only when there is an error.
public nonisolated(nonsending) func withErrorContext<Value>(
  _ context: @autoclosure () -> String, _ body: () async throws -> Value
) async throws -> Value {
  do {
    return try await body()
  } catch {
    throw contextual(error, context())
  }
}

/// Runs code that throws one type of taxonomy errors, and has the error say what was being done (`contexts`).
///
/// - Parameter context: Made only when there is an error.
public func withErrorContext<Value, Failure: TaxonomyError>(
  _ context: @autoclosure () -> String, _ body: () throws(Failure) -> Value
) throws(Failure) -> Value {
  do {
    return try body()
  } catch {
    throw error.context(context())
  }
}

/// Runs code that throws one type of taxonomy errors, and has the error say what was being done (`contexts`).
///
/// - Parameter context: Made only when there is an error.
public nonisolated(nonsending) func withErrorContext<Value, Failure: TaxonomyError>(
  _ context: @autoclosure () -> String, _ body: () async throws(Failure) -> Value
) async throws(Failure) -> Value {
  do {
    return try await body()
  } catch {
    throw error.context(context())
  }
}

private func contextual(_ error: any Error, _ context: String) -> any Error {
  if let error = error as? any TaxonomyError { return error.context(context) }
  // Whoever looks for a cancellation looks for this type.
  if error is CancellationError { return error }
  if let error = error as? ContextError { return ContextError(error.underlying, contexts: [context] + error.contexts) }
  return ContextError(error, contexts: [context])
}
