// SPDX-License-Identifier: Apache-2.0
import TaxonResilience

extension CircuitBreaker.Permit {
  /// Reports that the call failed.
  ///
  /// - Parameter isNeutral: The server did not process the call: that says nothing of how it works.
  consuming func settle(throwing error: any Error, isNeutral: Bool) {
    if isNeutral { settle(.neutral) } else { settle(throwing: error) }
  }
}
