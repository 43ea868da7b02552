// SPDX-License-Identifier: Apache-2.0
import Logging
import Metrics
import Synchronization
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// Lets calls fail on purpose: in tests, and in drills on servers that are in production.
///
/// As an interceptor of a server it stands before the handlers; as `Channel.Configuration.faults` it stands below retry and circuit
/// breaker, which take its failures for the server's; `RPCService.failing(with:)` puts it around one service, such as a fake.
///
/// ```swift
/// let faults = try FaultInjector(.raise(.taskNotFound(taskID: "42"), by: Orchestrator.Methods.getTask).rate(0.1), seed: 7)
/// configuration.interceptors = [metrics, faults]
/// ```
///
/// What it raises is marked: `isInjected` here and at callers that read ErrorTraits, `error.injected` in the log, the trailer
/// `taxon-injected-fault`, the counter `taxon.faults.injected` (service, method, fault).
///
/// Rules are asked in their order. Each counts all the calls that it is for and throws its own dice; pauses add up, and the first rule
/// with another fault decides. The nth call of a rule always has the same fate under one seed, whatever the other rules do.
public final class FaultInjector: Sendable {
  /// How faults are injected.
  public struct Configuration: Sendable {
    /// Which calls fail, and how.
    public var rules: [FaultRule] = []
    /// Whether callers may ask for faults by headers.
    public var headers = FaultHeaders.ignored
    /// What the dice of all rules begin with; a random one by default.
    public var seed = UInt64.random(in: .min ... .max)
    /// How many faults may be under way at a time; the calls beyond go on unharmed (gRPC A33, "Maximum active faults"). 1 or more.
    public var maxActive = Int.max
    /// Measures pauses, and the time until rules expire.
    public var clock: any Clock<Duration> = ContinuousClock()
    /// Errors in whose stead no samples are made: those with their identity are raised as they are here.
    public var samples: [any DeclaredError] = []
    /// Is told once a rule that its faults have begun, and of each fault at the level debug.
    public var logger = Logger(label: "taxon.faults")
    /// Where the counter goes; nil: where `MetricsSystem` sends all.
    public var metrics: (any MetricsFactory)?

    /// The values above.
    public init(rules: [FaultRule] = []) { self.rules = rules }
  }

  private struct State {
    /// Calls of each rule, and those of them that failed.
    var seen: [Int]
    var fired: [Int]
    var active = 0
    var injected = 0
    var headerCalls = 0
  }

  let configuration: Configuration
  private let state: Locked<State>
  private let enabled = Atomic<Bool>(true)
  private let samples: [ErrorIdentity: any DeclaredError]
  private let elapsed: @Sendable () -> Duration
  private let counters = Locked<[String: Counter]>([:])
  private let headerCounts = FailureCounts()

  /// - Throws: `SetupError.invalidSetting` when a rule has a number out of its bounds, or an error that its method does not declare.
  public convenience init(_ configuration: Configuration) throws(SetupError) {
    for rule in configuration.rules { try rule.check() }
    guard configuration.maxActive >= 1 else {
      throw .invalidSetting(name: "maxActive", value: "\(configuration.maxActive)", reason: "it must be 1 or more")
    }
    self.init(checked: configuration)
  }

  /// An injector whose settings are known to be good.
  init(checked configuration: Configuration) {
    self.configuration = configuration
    let none = [Int](repeating: 0, count: configuration.rules.count)
    state = Locked(State(seen: none, fired: none))
    samples = Dictionary(configuration.samples.map { ($0.identity, $0) }, uniquingKeysWith: { $1 })
    elapsed = Self.stopwatch(configuration.clock)
  }

  /// An injector with these rules.
  ///
  /// - Throws: `SetupError.invalidSetting` when a rule has a number out of its bounds, or an error that its method does not declare.
  public convenience init(
    _ rules: FaultRule..., seed: UInt64 = .random(in: .min ... .max), clock: any Clock<Duration> = ContinuousClock()
  ) throws(SetupError) {
    var configuration = Configuration(rules: rules)
    configuration.seed = seed
    configuration.clock = clock
    try self.init(configuration)
  }

  private static func stopwatch<C: Clock>(_ clock: C) -> @Sendable () -> Duration where C.Duration == Duration {
    let start = clock.now
    return { start.duration(to: clock.now) }
  }

  // MARK: While it runs

  /// The kill switch: false, and nothing happens to any further call, by rule or by header.
  public var isEnabled: Bool {
    get { enabled.load(ordering: .relaxed) }
    set { enabled.store(newValue, ordering: .relaxed) }
  }

  /// How many faults are under way: calls in a pause, and streams that are to break.
  public var active: Int { state.withLock { $0.active } }

  /// How many calls have had a fault so far.
  public var injected: Int { state.withLock { $0.injected } }

  // MARK: Decisions

  /// What is to happen to one call.
  struct Plan: Sendable {
    /// Pauses of several rules are added up here.
    var delay: Duration
    /// The fault itself, whose own pause is in `delay`.
    var fault: Fault
    /// The error of the fault; nil where it has none.
    var error: (any TaxonomyError)?
  }

  /// Asks the rules about a call. A plan has to be ended by `finished`.
  func plan(for call: FaultCall, _ errors: [any DeclaredError.Type]) -> Plan? {
    guard isEnabled else { return nil }
    // Outside of the lock: the caller's closures may ask the injector.
    let time = elapsed()
    let candidates = configuration.rules.enumerated().filter { _, rule in
      rule.contains(call.path) && rule.isPossible(with: errors) && time < rule.lifetime ?? .seconds(Int64.max)
        && rule.includes(call)
    }
    guard !candidates.isEmpty else { return nil }
    var chosen: [Int] = []
    var begun: [Int] = []
    let isAdmitted = state.withLock { state in
      var isAborted = false
      for (index, rule) in candidates {
        state.seen[index] += 1
        guard !isAborted, fires(index, rule, state) else { continue }
        state.fired[index] += 1
        chosen.append(index)
        if state.fired[index] == 1 { begun.append(index) }
        isAborted = rule.fault.abort != nil
      }
      let isAdmitted = admit(!chosen.isEmpty, &state)
      if !isAdmitted {
        // What goes on unharmed has not been the rule's doing.
        for index in chosen { state.fired[index] -= 1 }
      }
      return isAdmitted
    }
    guard isAdmitted, let last = chosen.last else { return nil }
    for index in begun {
      configuration.logger.notice("faults are injected", metadata: ["rule": "\(configuration.rules[index])"])
    }
    let delay = chosen.reduce(Duration.zero) { $0 + configuration.rules[$1].fault.delay }
    return plan(configuration.rules[last].fault, delay: delay, errors)
  }

  /// A plan for a fault.
  private func plan(_ fault: Fault, delay: Duration, _ errors: [any DeclaredError.Type]) -> Plan {
    Plan(delay: delay, fault: fault, error: error(of: fault, errors))
  }

  /// Whether a rule lets the call fail that it has just counted.
  private func fires(_ index: Int, _ rule: FaultRule, _ state: borrowing State) -> Bool {
    let number = state.seen[index] - rule.skipped
    return number > 0 && number <= rule.firstCalls ?? .max && number % rule.period == 0
      && state.fired[index] < rule.most ?? .max && dice(UInt64(index), state.seen[index]) < rule.share
  }

  private func admit(_ isWanted: Bool, _ state: inout State) -> Bool {
    guard isWanted, state.active < configuration.maxActive else { return false }
    state.active += 1
    state.injected += 1
    return true
  }

  /// A number from 0 up to 1, without it: SplitMix64 of the seed, of whose dice it is and of how often they were thrown.
  private func dice(_ stream: UInt64, _ throwNumber: Int) -> Double {
    var bits = configuration.seed &+ (stream &+ 1) &* 0x9E37_79B9_7F4A_7C15
    for word in [0, UInt64(throwNumber)] {
      bits = (bits ^ word) &* 0xD6E8_FEB8_6659_FD93
      bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
      bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
      bits ^= bits >> 31
    }
    return Double(bits >> 11) * 0x1p-53
  }

  // MARK: By header

  /// What the headers of a call ask for; the outer nil: nothing, the inner one: nothing this time.
  ///
  /// - Throws: INVALID_ARGUMENT for what cannot be, PERMISSION_DENIED for a caller who may not ask.
  func requested(by call: FaultCall, _ errors: [any DeclaredError.Type]) throws(RPCError) -> Plan?? {
    guard configuration.headers.callers != nil, isEnabled, FaultHeaders.mayAsk(call.metadata) else { return nil }
    guard configuration.headers.includes(call) else {
      throw RPCError(.permissionDenied, "The caller may not ask for faults by headers")
    }
    let most = configuration.headers.maxShare
    guard let header = try FaultHeader(call.metadata) else {
      guard let envoy = EnvoyFaultHeaders(call.metadata, maxShare: most) else { return nil }
      let (number, isAdmitted) = state.withLock { state in
        state.headerCalls += 1
        return (state.headerCalls, admit(true, &state))
      }
      guard isAdmitted else { return .some(nil) }
      guard let fault = envoy.fault(abort: dice(.max, number), delay: dice(.max - 1, number)) else {
        state.withLock { state in
          state.active -= 1
          state.injected -= 1
        }
        return .some(nil)
      }
      return plan(fault, delay: fault.delay, errors)
    }
    if case .declared(let name)? = header.fault.abort,
      !errors.contains(where: { name.matches($0.declaration.identity) })
    {
      throw RPCError(.invalidArgument, "\(FaultHeader.name): \(name): \(FaultRule.notRaised(by: call.path, errors))")
    }
    let isChosen = state.withLock { state in
      state.headerCalls += 1
      return dice(.max - 2, state.headerCalls) < min(header.share, most)
    }
    guard isChosen, header.times.map({ headerCounts.fails("\(call.path);\(header.text)", times: $0) }) ?? true,
      state.withLock({ admit(true, &$0) })
    else { return .some(nil) }
    return plan(header.fault, delay: header.fault.delay, errors)
  }

  // MARK: What is raised

  /// The error of a fault, marked.
  private func error(of fault: Fault, _ errors: [any DeclaredError.Type]) -> (any TaxonomyError)? {
    var error: (any TaxonomyError)?
    switch fault.abort {
    case .error(let declared): error = declared
    case .status(let status): error = status
    case .declared(let name):
      let type = errors.first { name.matches($0.declaration.identity) }
      error = type.map { samples[$0.declaration.identity] ?? $0.sample }
    case .empty, .connection, nil: break
    }
    if let retryAfter = fault.retryAfter { error?.context.retryAfter = retryAfter }
    // What a call brought would not be passed on.
    error?.context.isFromCall = false
    error?.context.injection = InjectedFault(damage: fault.damage?.onWire)
    return error
  }

  /// A fault is about to happen to a call.
  func begin(_ plan: Plan, _ path: String) {
    let key = "\(path) \(plan.fault.label)"
    let counter = counters.withLock { counters in
      if let counter = counters[key] { return counter }
      let parts = path.dropFirst().split(separator: "/", maxSplits: 1).map(String.init)
      let counter = Counter(
        label: "taxon.faults.injected",
        dimensions: [("service", parts.first ?? ""), ("method", parts.last ?? ""), ("fault", plan.fault.label)],
        factory: configuration.metrics ?? MetricsSystem.factory)
      counters[key] = counter
      return counter
    }
    counter.increment()
    configuration.logger.debug("a fault is injected", metadata: ["rpc.path": "\(path)", "fault": "\(plan.fault)"])
  }

  /// A fault has had its effect.
  func finished() { state.withLock { $0.active -= 1 } }
}

extension Fault.Damage {
  var onWire: DetailsDamage {
    switch self {
    case .payloadMissing: .payloadMissing
    case .truncated: .truncated
    case .oversized(let bytes): .oversized(bytes)
    }
  }
}
