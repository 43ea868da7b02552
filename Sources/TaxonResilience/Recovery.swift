// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// Answers from somewhere else when the first choice fails.
///
/// ```swift
/// let task = try await withFallback {
///   try await primary.task(id)
/// } fallback: { _ in
///   try await replica.task(id)
/// }
/// ```
///
/// Throws the fallback's error with the first one as its cause, or the first error when the fallback is not for it.
///
/// - Parameters:
///   - isWorthIt: which failures the fallback is for; by default, those that say the endpoint is failing
///     (`BreakerClass.failure`): what the caller did wrong is wrong elsewhere too.
///   - fallback: gets the first error.
@discardableResult
public nonisolated(nonsending) func withFallback<T>(
  when isWorthIt: (any Error) -> Bool = { BreakerOutcome($0) == .failure },
  _ primary: () async throws -> T, fallback: (any Error) async throws -> T
) async throws -> T {
  let first: any Error
  do {
    return try await primary()
  } catch {
    first = error
  }
  guard isWorthIt(first) else { throw first }
  do {
    return try await fallback(first)
  } catch let error as any TaxonomyError where error.cause == nil {
    throw error.caused(by: first)
  }
}

/// The outcome of a batch in which each element may fail on its own.
public struct PartialSuccess<Key, Value> {
  /// An element that was done.
  public struct Success {
    /// The element's key.
    public var key: Key
    /// Its result.
    public var value: Value
  }

  /// An element that failed.
  public struct Failure {
    /// The element's key.
    public var key: Key
    /// Why. An error that is not a taxonomy error becomes the cause of an `INTERNAL_ERROR`.
    public var error: any TaxonomyError
  }

  /// What was done, in the order it came.
  public private(set) var successes: [Success] = []
  /// What failed, in the order it came.
  public private(set) var failures: [Failure] = []

  /// An empty batch.
  public init() {}

  /// True when nothing failed.
  public var isComplete: Bool { failures.isEmpty }

  /// The values of what was done.
  public var values: [Value] { successes.map(\.value) }

  /// Notes an element that was done.
  public mutating func succeed(_ key: Key, _ value: Value) {
    successes.append(Success(key: key, value: value))
  }

  /// Notes an element that failed.
  public mutating func fail(_ key: Key, _ error: any Error) {
    failures.append(Failure(key: key, error: error as? any TaxonomyError ?? RPCError.lift(error)))
  }

  /// Processes one element and notes the outcome.
  public nonisolated(nonsending) mutating func attempt(_ key: Key, _ body: () async throws -> Value) async {
    do {
      succeed(key, try await body())
    } catch {
      fail(key, error)
    }
  }

  /// Processes the elements one after the other. When the task is cancelled, the rest fail as cancelled without being
  /// started.
  public nonisolated(nonsending) static func of<Element>(
    _ elements: some Sequence<Element>, key: (Element) -> Key, _ body: (Element) async throws -> Value
  ) async -> Self {
    var result = Self()
    for element in elements {
      await result.attempt(key(element)) {
        try Task.checkCancellation()
        return try await body(element)
      }
    }
    return result
  }
}

extension PartialSuccess: Sendable where Key: Sendable, Value: Sendable {}
extension PartialSuccess.Success: Sendable where Key: Sendable, Value: Sendable {}
extension PartialSuccess.Failure: Sendable where Key: Sendable {}
extension PartialSuccess.Success: Equatable where Key: Equatable, Value: Equatable {}
