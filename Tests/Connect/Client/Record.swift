// SPDX-License-Identifier: Apache-2.0
import Taxon

/// What has become of a call so far.
final class Record: Sendable {
  private let state = Locked(SuiteClientResponseResult())

  var result: SuiteClientResponseResult { state.withLock { $0 } }

  func head(_ initial: Metadata) {
    state.withLock { $0.responseHeaders = initial.headers }
  }

  func end(_ initial: Metadata, _ trailing: Metadata) {
    state.withLock { result in
      result.responseHeaders = initial.headers
      result.responseTrailers = trailing.headers
    }
  }

  func unsent(_ count: Int) { state.withLock { $0.numUnsentRequests = Int32(count) } }

  func sent() { state.withLock { $0.numUnsentRequests -= 1 } }

  /// Says how many there are now.
  func receive(_ payload: SuiteConformancePayload) -> Int {
    state.withLock { result in
      result.payloads.append(payload)
      return result.payloads.count
    }
  }

  func fail(_ error: RPCError) { state.withLock { $0.error = SuiteError(error) } }
}
