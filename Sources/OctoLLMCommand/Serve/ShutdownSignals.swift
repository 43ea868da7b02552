// SPDX-License-Identifier: Apache-2.0
@preconcurrency import Dispatch
import Foundation

/// Does something when the process is asked to end: SIGTERM (a supervisor) or SIGINT (Control-C).
///
/// It is done once; a second signal ends the process as it would have without this.
final class ShutdownSignals: Sendable {
  private let sources: [any DispatchSourceSignal]

  init(_ body: @escaping @Sendable () async -> Void) {
    let signals = [SIGTERM, SIGINT]
    sources = signals.map { number in
      // The default disposition would end the process before the source hears of the signal.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        for number in signals { signal(number, SIG_DFL) }
        Task { await body() }
      }
      source.resume()
      return source
    }
  }

  func stop() {
    for source in sources { source.cancel() }
  }
}
