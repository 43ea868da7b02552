// SPDX-License-Identifier: Apache-2.0
import Logging
import Synchronization
import TaxonErrors
import TaxonHTTP2
import TaxonProtobuf

/// Counts the handlers that run, ends calls that fail and writes failures into the log.
final class CallReporter: Sendable {
  private let limits: ServerCallLimits
  private let logger: Logger
  private let running = Atomic<Int>(0)
  /// Methods whose handlers have held their loop.
  private let holding = Locked<Set<String>>([])
  /// Methods whose handlers have set something of the headers when these were out.
  private let late = Locked<Set<String>>([])

  init(limits: ServerCallLimits, logger: Logger) {
    self.limits = limits
    self.logger = logger
  }

  /// How many handlers have begun and not ended.
  var runningHandlers: Int { running.load(ordering: .relaxed) }

  /// Returns when no handler runs any more, or when the time is over.
  func waitForHandlers(within limit: Duration) async {
    let end = ContinuousClock.now + limit
    while runningHandlers > 0, ContinuousClock.now < end {
      // A task of its own, since this one may be cancelled and would not sleep.
      await Task { try? await Task.sleep(for: .milliseconds(10)) }.value
    }
  }

  func handlerStarted() { running.add(1, ordering: .relaxed) }
  func handlerEnded() { running.subtract(1, ordering: .relaxed) }

  /// A handler held its event loop for long: says so, once a method.
  func heldLoop(path: String, for duration: Duration) {
    guard holding.withLock({ $0.insert(path).inserted }) else { return }
    logger.warning(
      "a handler held its event loop, whose other calls had to wait; see RPCService.offloadedMethods",
      metadata: ["rpc.path": "\(path)", "duration": "\(duration)"])
  }

  /// A handler has changed what goes with the headers, which are out: says so, once a method.
  func setTooLate(_ property: String, path: String) {
    guard late.withLock({ $0.insert(path).inserted }) else { return }
    logger.warning(
      "a handler has set ServerContext.\(property) when the headers were sent; it has no effect",
      metadata: ["rpc.path": "\(path)"])
  }

  /// Ends a call with what its handler threw.
  func fail(_ stream: ServerStream, _ error: some TaxonomyError, _ context: ServerContext) {
    let status = WireStatus(error, budget: limits.maxTrailersSize)
    let fields = context.takeReply()
    let wasSent = stream.fail(status, initial: fields.initial, trailing: fields.trailing)
    failed(error, status: status, path: context.path, wasSent: wasSent)
  }

  /// Writes a failure into the log.
  func failed(_ error: some TaxonomyError, status: WireStatus, path: String, wasSent: Bool = true) {
    // Asked first: an entry costs more than the error's trailers.
    let level = Logger.Level(ErrorLogEntry.Level(error.severity))
    guard logger.logLevel <= level else { return }
    let entry = ErrorLogEntry(error, instanceID: status.instanceID)
    var metadata: Logger.Metadata = ["rpc.path": "\(path)"]
    for pair in entry.metadata { metadata[pair.key] = "\(pair.value)" }
    if !status.dropped.isEmpty { metadata["error.dropped"] = "\(status.dropped.joined(separator: ", "))" }
    if !wasSent { metadata["rpc.abandoned"] = "true" }
    logger.log(level: level, "\(entry.message)", metadata: metadata)
  }
}

extension Logger.Level {
  init(_ level: ErrorLogEntry.Level) {
    self =
      switch level {
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      case .error: .error
      case .critical: .critical
      }
  }
}
