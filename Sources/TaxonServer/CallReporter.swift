// SPDX-License-Identifier: Apache-2.0
import Logging
import Metrics
import NIOCore
import Synchronization
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// Counts the handlers that run, ends calls that fail and writes failures into the log.
final class CallReporter: Sendable {
  let undeclaredErrors: UndeclaredErrors
  /// What one call may do, and which header names it.
  let limits: ServerCallLimits
  private let logger: Logger
  private let running = Atomic<Int>(0)
  /// Methods whose handlers have held their loop.
  private let holding = Locked<Set<String>>([])
  /// Methods whose handlers have set something of the headers when these were out.
  private let late = Locked<Set<String>>([])
  private let repeated = Locked((lines: RepeatedLines<Kind>(), isScheduled: false))

  /// What makes one failed call the same as another in the log.
  private struct Kind: Hashable {
    let level: Logger.Level
    /// Nil for paths that the server does not have, which are the callers' to choose.
    let path: String?
    let code: String
  }

  init(undeclaredErrors: UndeclaredErrors, limits: ServerCallLimits = ServerCallLimits(), logger: Logger) {
    self.undeclaredErrors = undeclaredErrors
    self.limits = limits
    self.logger = logger
  }

  /// How many handlers have begun and not ended.
  var runningHandlers: Int { running.load(ordering: .relaxed) }

  /// Returns when no handler runs any more, or when the time is over, if there is a limit.
  func waitForHandlers(within limit: Duration? = nil) async {
    let begin = ContinuousClock.now
    while runningHandlers > 0 {
      let time = ContinuousClock.now - begin
      if let limit, time >= limit { return }
      // Less and less often, since a handler may never end. A task of its own: this one may be cancelled and would not sleep.
      let pause = max(.milliseconds(10), time / 10)
      await Task { try? await Task.sleep(for: limit.map { min(pause, $0 - time) } ?? pause) }.value
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

  /// Ends a call with what its handler threw, out of the method's union.
  func fail(_ stream: ServerStream, _ error: some TaxonomyError, _ context: ServerContext) {
    // Members of a method's union are what it declares, and cost no more than to compare the types.
    if type(of: error) == RPCError.self, let error = error as? RPCError, let undeclared = context.undeclared(error) {
      return fail(stream, undeclared, context)
    }
    let (failure, wasSent) = end(stream, with: error, context)
    failed(error, failure: failure, path: context.path, wasSent: wasSent)
  }

  private func end(
    _ stream: ServerStream, with error: some TaxonomyError, _ context: ServerContext
  ) -> (failure: CallFailure, wasSent: Bool) {
    let fields = context.takeReply()
    return stream.fail(error, initial: fields.initial, trailing: HeaderBlock.Field.fields(of: fields.trailing))
  }

  /// Writes a failure into the log. Of warnings, and what is less, the first of a method and code is written in full, and
  /// those that follow are summed up once a second: a caller whose calls all fail must not fill the disk. Errors of this
  /// server are written one by one, since their callers were told an instance id to ask for.
  ///
  /// - Parameter isKnownPath: False when no service has such a method.
  func failed(
    _ error: some TaxonomyError, failure: CallFailure, path: String, isKnownPath: Bool = true, wasSent: Bool = true
  ) {
    // Asked first: an entry costs more than the error's trailers.
    let level = Logger.Level(ErrorLogEntry.Level(error.severity))
    guard logger.logLevel <= level else { return }
    if level == .info || level == .warning {
      guard mayWrite(Kind(level: level, path: isKnownPath ? path : nil, code: error.code)) else { return }
    }
    let entry = ErrorLogEntry(error, instanceID: failure.instanceID)
    var metadata: Logger.Metadata = ["rpc.path": "\(path)"]
    for pair in entry.metadata { metadata[pair.key] = "\(pair.value)" }
    if !failure.dropped.isEmpty { metadata["error.dropped"] = "\(failure.dropped.joined(separator: ", "))" }
    if let id = failure.requestID { metadata["rpc.request_id"] = "\(id)" }
    if !wasSent { metadata["rpc.abandoned"] = "true" }
    logger.log(level: level, "\(entry.message)", metadata: metadata)
    logText(of: entry, failure: failure, path: path)
  }

  /// Ends a call with `INTERNAL_ERROR`, since its method does not declare what was thrown; after the deadline with
  /// `DEADLINE_EXCEEDED`.
  private func fail(_ stream: ServerStream, _ error: RPCError.Undeclared, _ context: ServerContext) {
    if context.isLate {
      let (failure, wasSent) = end(stream, with: CallError.DeadlineExceeded(), context)
      return failed(error.thrown, failure: failure, path: context.path, wasSent: wasSent)
    }
    let (failure, wasSent) = end(stream, with: error.sent, context)
    // After a cancellation nothing leaves, so no declaration is broken.
    guard wasSent else { return failed(error.thrown, failure: failure, path: context.path, wasSent: false) }
    let parts = context.path.dropFirst().split(separator: "/", maxSplits: 1).map(String.init)
    Counter(
      label: "taxon.server.undeclared", dimensions: [("service", parts.first ?? ""), ("method", parts.last ?? "")]
    ).increment()
    logUndeclared(error, failure: failure, path: context.path)
  }

  /// Writes an undeclared error into the log, each one: its caller was told an instance id to ask for. The code is the
  /// caller's, the fields and the causes are those of what was thrown.
  private func logUndeclared(_ error: RPCError.Undeclared, failure: CallFailure, path: String) {
    let thrown = ErrorLogEntry(error.thrown)
    // The call has failed for its caller, however harmless the error was meant to be.
    let level = max(.error, Logger.Level(thrown.level))
    guard logger.logLevel <= level else { return }
    // What Taxon has made of a foreign error has that as its cause already.
    let isForeign = error.sent.cause.map { !($0 is any TaxonomyError) } ?? false
    let entry = ErrorLogEntry(
      isForeign ? error.sent : CallError.InternalError(cause: error.thrown), instanceID: failure.instanceID)
    var metadata: Logger.Metadata = ["rpc.path": "\(path)", "error.undeclared": "\(error.name)"]
    let fields = thrown.metadata.filter { $0.key.hasPrefix("error.field.") || $0.key == "error.context" }
    for pair in entry.metadata + fields { metadata[pair.key] = "\(pair.value)" }
    if let id = failure.requestID { metadata["rpc.request_id"] = "\(id)" }
    logger.log(
      level: level, "\(error.name) is not declared by the method; the caller got \(error.sent.code)",
      metadata: metadata)
    logText(of: entry, failure: failure, path: path)
  }

  /// Writes what a foreign cause says of itself, which may be anything, where the log is for debugging.
  private func logText(of entry: ErrorLogEntry, failure: CallFailure, path: String) {
    guard logger.logLevel <= .debug, let cause = entry.foreignCause else { return }
    logger.debug(
      "what a failure's cause says of itself",
      metadata: [
        "rpc.path": "\(path)", "error.instance_id": "\(failure.instanceID)", "error.cause_text": "\(cause)",
      ])
  }

  private func mayWrite(_ kind: Kind) -> Bool {
    let (mayWrite, begins) = repeated.withLock { state in
      let mayWrite = state.lines.admit(kind, now: .now())
      let begins = state.lines.hasCounted && !state.isScheduled
      if begins { state.isScheduled = true }
      return (mayWrite, begins)
    }
    if begins { Task { await writeSums() } }
    return mayWrite
  }

  /// Writes sums once a second as long as there are any.
  private func writeSums() async {
    repeat { try? await Task.sleep(for: .seconds(1)) } while writeSums(isLast: false)
  }

  /// Writes the sums that are due. True: there are others, which are not yet.
  ///
  /// - Parameter isLast: All of them are due: the server is at its end.
  @discardableResult func writeSums(isLast: Bool) -> Bool {
    let (sums, goesOn) = repeated.withLock { state in
      let sums = state.lines.takeSums(now: .now(), isLast: isLast)
      if !isLast { state.isScheduled = state.lines.hasCounted }
      return (sums, state.isScheduled)
    }
    for sum in sums {
      var metadata: Logger.Metadata = ["not_logged": "\(sum.count)"]
      if let kind = sum.kind { metadata["error.code"] = "\(kind.code)" }
      if let path = sum.kind?.path { metadata["rpc.path"] = "\(path)" }
      logger.log(level: sum.kind?.level ?? .warning, "more calls failed like that", metadata: metadata)
    }
    return goesOn
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

/// Decides which lines of a log are written: the first of a kind at once; those that follow are counted, and a sum of
/// them is due once a second. No I/O and no clock of its own.
///
/// A peer whose calls all fail costs the log two lines a second and kind by that, and not one a call.
struct RepeatedLines<Kind: Hashable> {
  /// What was left out of the log.
  struct Sum {
    /// Nil: kinds beyond those that are told apart.
    let kind: Kind?
    let count: Int
  }

  private struct Entry {
    var since: NIODeadline
    var count = 0
  }

  /// Kinds of the last second.
  private var entries: [Kind: Entry] = [:]
  private var others: Entry?
  private var countedKinds = 0
  /// How many kinds are told apart: a peer that makes up kinds must not fill the memory.
  static var maxKinds: Int { 256 }
  static var interval: TimeAmount { .seconds(1) }

  /// True while a sum will be due.
  var hasCounted: Bool { countedKinds > 0 }

  /// True when a line is to be written; otherwise it counts for a sum.
  mutating func admit(_ kind: Kind, now: NIODeadline) -> Bool {
    if let entry = entries[kind] {
      if entry.count == 0, now - entry.since >= Self.interval {
        entries[kind] = Entry(since: now)
        return true
      }
      if entry.count == 0 { countedKinds += 1 }
      entries[kind]?.count += 1
      return false
    }
    if entries.count >= Self.maxKinds {
      entries = entries.filter { $0.value.count > 0 || now - $0.value.since < Self.interval }
    }
    guard entries.count < Self.maxKinds else {
      if others == nil { countedKinds += 1 }
      others = Entry(since: others?.since ?? now, count: (others?.count ?? 0) + 1)
      return false
    }
    entries[kind] = Entry(since: now)
    return true
  }

  /// The sums whose second is over, or all of them at the end.
  mutating func takeSums(now: NIODeadline, isLast: Bool = false) -> [Sum] {
    var sums: [Sum] = []
    for (kind, entry) in entries where entry.count > 0 && (isLast || now - entry.since >= Self.interval) {
      sums.append(Sum(kind: kind, count: entry.count))
      entries[kind] = Entry(since: now)
    }
    if let entry = others, isLast || now - entry.since >= Self.interval {
      sums.append(Sum(kind: nil, count: entry.count))
      others = nil
    }
    countedKinds -= sums.count
    return sums
  }
}
