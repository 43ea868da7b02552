// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// A method with its handler, whatever its types.
protocol RegisteredMethod: ServerMethod {
  var path: String { get }

  /// The method with interceptors around its handler.
  func intercepted(by interceptors: ServerInterceptors) -> any RegisteredMethod
  /// The method with its handler on Swift's global pool.
  func offloaded() -> any RegisteredMethod
}

extension ServerStream {
  /// Runs what works for the call with the call's deadline, which calls made in it keep.
  func withDeadline<Result, Failure: Error>(
    _ body: () async throws(Failure) -> Result
  ) async throws(Failure) -> Result {
    guard let deadline else { return try await body() }
    do {
      return try await CallDeadline.$current.withValue(deadline) { try await body() }
    } catch let error as Failure {
      throw error
    } catch {
      // `body` throws nothing else, but `withValue` does not say so.
      preconditionFailure("\(error)")
    }
  }
}
