// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

extension CircuitBreaker {
  /// Makes a call under the breaker. Throws what the call throws, or `CIRCUIT_OPEN` without making it.
  @discardableResult
  public nonisolated(nonsending) func call<T>(_ body: () async throws -> T) async throws -> T {
    let permit = try acquire()
    let value: T
    do {
      value = try await body()
    } catch {
      permit.settle(throwing: error)
      throw error
    }
    permit.settle(.success)
    return value
  }

  /// Makes a call under the breaker. Throws what the call throws, or `CIRCUIT_OPEN` in the call's own type without
  /// making it.
  @discardableResult
  public nonisolated(nonsending) func call<T, Failure: ErrorUnion>(
    _ body: () async throws(Failure) -> T
  ) async throws(Failure) -> T {
    let permit: Permit
    do {
      permit = try acquire()
    } catch {
      throw Failure.lift(error)
    }
    let value: T
    do {
      value = try await body()
    } catch {
      permit.settle(throwing: error)
      throw error
    }
    permit.settle(.success)
    return value
  }
}
