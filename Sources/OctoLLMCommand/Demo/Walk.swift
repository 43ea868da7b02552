// SPDX-License-Identifier: Apache-2.0
import Foundation
import OctoLLM
import Taxon

/// Goes through the errors and what is done about them, prints each step and checks it.
final class Walk {
  let stage: Stage
  let console = Console()
  /// One quick retry, so that the walk doesn't take long, and a deadline that no long wait fits into.
  let channel: Channel
  let orchestrator: Orchestrator.Client
  let reflex: Reflex.Client
  let rehearsal: Rehearsal.Client
  private let start = ContinuousClock.now
  private var steps = 0
  private var mistakes: [String] = []

  static let asOwner = CallOptions(metadata: ["authorization": "Bearer \(Stage.ownerToken)"])
  static let asReader = CallOptions(metadata: ["authorization": "Bearer \(Stage.readerToken)"])

  init(_ stage: Stage) throws(SetupError) {
    self.stage = stage
    channel = try stage.channel(
      CallPolicy(
        retry: RetryPolicy(maxRetries: 1, backoff: Backoff(base: .milliseconds(5))), breaker: nil, timeout: .seconds(3))
    )
    orchestrator = Orchestrator.Client(channel)
    reflex = Reflex.Client(channel)
    rehearsal = Rehearsal.Client(channel)
  }

  func run() async throws {
    console.line(console.styled("OctoLLM", .bold) + ": a server on 127.0.0.1:\(stage.port), called over TCP")
    console.line()
    console.line(console.styled(row("request", "error", "gRPC and HTTP status", "retry", "breaker"), .dim))
    await validationErrors()
    let slow = try await resourceErrors()
    await systemErrors(slow)
    try await externalErrors()
    await reflexErrors()
    try await roads()
    try await retries()
    try await circuitBreaker()
    try await partialSuccess()
    try await streaming()
    try await degradation()
  }

  /// Says how it went; false when anything was not as it should be.
  func finish() -> Bool {
    let time = start.duration(to: .now).short
    console.line()
    if mistakes.isEmpty {
      console.line(console.styled("All \(steps) steps went as they should, in \(time).", .green))
    } else {
      console.line(console.styled("\(mistakes.count) of \(steps) steps did not go as they should:", .red))
      for mistake in mistakes { console.line("  \(mistake)") }
    }
    return mistakes.isEmpty
  }

  // MARK: Steps

  func section(_ title: String, _ text: String) {
    console.line()
    console.line(console.styled(title, .bold) + "  " + console.styled(text, .dim))
  }

  /// Notes a step and whether it went as it should.
  func check(_ isRight: Bool, _ mistake: @autoclosure () -> String) {
    steps += 1
    guard !isRight else { return }
    mistakes.append(mistake())
    console.line(console.styled("  ✗ \(mistakes.last ?? "")", .red))
  }

  /// A call that should fail with an error, typed.
  ///
  /// - Parameter typed: Whether the error arrived as the right case with the right fields.
  func expect<Reply, Failure: ErrorUnion>(
    _ request: String, _ code: String, _ call: () async throws(Failure) -> Reply, typed: (Failure) -> Bool
  ) async {
    do throws(Failure) {
      let reply = try await call()
      check(false, "\(request): \(code) was expected, the answer was \(reply)")
    } catch {
      show(request, error, stage.events.take().failures.last?.decision)
      check(error.code == code && typed(error), "\(request): \(code) was expected, \(error.domain)/\(error) came")
    }
  }

  /// An error with what was decided about it, on two lines.
  func show(_ request: String, _ error: some TaxonomyError, _ decision: RetryDecision?) {
    let retry =
      switch decision {
      case .stop(.notRetryable): "no"
      case .stop(.notIdempotent): "no, not idempotent"
      case .stop(.deadline(let needed, _)): "no, \(needed.seconds) s to wait"
      case .stop(.attemptsExhausted(let retries)): "gave up after \(retries)"
      case let decision: decision?.short ?? ""
      }
    let breaker = "\(BreakerOutcome(error))"
    let isFailure = BreakerOutcome(error) == .failure
    console.line(
      row(
        request, console.styled(error.code.padded(to: Column.error), isFailure ? .red : .yellow),
        "\(error.status.name) \(error.httpStatus)", retry, breaker))
    let details = details(error)
    if !details.isEmpty { console.line("    " + console.styled(details.cut(to: 96), .dim)) }
  }

  /// The typed fields, or the violations, and the retry-after.
  private func details(_ error: some TaxonomyError) -> String {
    var parts: [String] = []
    if error.violations.isEmpty {
      parts += typedFields(error).filter { $0.value != .null }.map { "\($0.name): \($0.value.plainText)" }
    } else {
      parts += error.violations.map { "\($0.field): \($0.description)" }
    }
    if let retryAfter = error.retryAfter { parts.append("retry after \(retryAfter.short)") }
    return parts.joined(separator: " · ")
  }

  enum Column {
    static let request = 27
    static let error = 22
    static let status = 23
    static let retry = 19
  }

  func row(_ request: String, _ error: String, _ status: String, _ retry: String, _ breaker: String) -> String {
    "  " + request.padded(to: Column.request) + error.padded(to: Column.error) + status.padded(to: Column.status)
      + retry.padded(to: Column.retry) + breaker
  }
}

extension Walk {
  private func streaming() async throws {
    section("Streaming", "the server tells each change of a task's state as it happens")
    let id = try await create("An octopus has eight arms.", needs: "summarise")
    var statuses: [TaskStatus] = []
    for try await change in orchestrator.watchTask(.init(taskID: id), options: Self.asOwner) {
      console.line("  " + "WatchTask".padded(to: Column.request) + console.styled(change.status.word, .green))
      statuses.append(change.status)
      // The stream is open and goes on while other calls are made.
      if change.status == .pending { _ = try await orchestrator.executeTask(.init(taskID: id), options: Self.asOwner) }
    }
    check(
      statuses == [.pending, .running, .completed],
      "the task should have been pending, running and completed, not \(statuses.map(\.word))")
    _ = stage.events.take()
    await expectStream("WatchTask 42", "TASK_NOT_FOUND")
  }

  /// A stream that should fail with an error, typed.
  private func expectStream(_ request: String, _ code: String) async {
    await expect(request, code) { () async throws(Orchestrator.WatchTaskError) in
      for try await _ in orchestrator.watchTask(.init(taskID: "42"), options: Self.asOwner) {}
    } typed: { error in
      if case .taskNotFound(let error) = error { error.taskID == "42" } else { false }
    }
  }
}

/// Standard output, with colours on a terminal.
struct Console {
  enum Style: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
    case cyan = "36"
  }

  private let isColoured: Bool

  init() {
    let environment = ProcessInfo.processInfo.environment
    // NO_COLOR counts when it is set to anything but the empty string (no-color.org).
    let isRefused = !(environment["NO_COLOR"] ?? "").isEmpty || environment["TERM"] == "dumb"
    isColoured = isatty(STDOUT_FILENO) == 1 && !isRefused
  }

  func styled(_ text: String, _ style: Style) -> String {
    isColoured ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  func line(_ text: String = "") {
    FileHandle.standardOutput.write(Data((text + "\n").utf8))
  }
}
