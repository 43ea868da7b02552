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
/// Throws the fallback's error with the first one as its cause, or the first error when there is to be no fallback.
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
