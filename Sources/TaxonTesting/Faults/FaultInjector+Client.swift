// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonClient
import TaxonErrors

extension Channel.Configuration {
  /// Lets attempts of the channel's calls fail on purpose, below retry and circuit breaker: an attempt has its breaker's permit and
  /// a connection, and then fails as if the server had said so. Nil, as it is by default: nothing does, and it costs nothing.
  ///
  /// Rules count attempts. A rule with an error that a method does not declare is refused where the method is known when the rule is
  /// made, and else leaves the method alone.
  public var faults: FaultInjector? {
    get { attemptFaults as? FaultInjector }
    set { attemptFaults = newValue }
  }
}

extension FaultInjector: AttemptFaults {
  package func fault(for attempt: AttemptDescription) -> AttemptFault? {
    let call = FaultCall(
      path: attempt.path, metadata: attempt.metadata, peer: attempt.peer, peerCertificate: nil)
    guard let plan = plan(for: call, attempt.declared.members) else { return nil }
    begin(plan, attempt.path)
    let clock = configuration.clock
    return AttemptFault(
      plan.clientEnd, delay: plan.delay, messages: plan.fault.messages, sleep: { try await clock.sleep(for: $0) },
      finished: { [self] in finished() })
  }
}

extension FaultInjector.Plan {
  /// What the client is to take for the server's answer: written and read as a real one is.
  fileprivate var clientEnd: AttemptFault.End? {
    if let error {
      let status = error.wireStatus(WireOptions())
      return .status(
        ReceivedStatus(
          code: status.code, message: status.message, details: status.details.isEmpty ? nil : status.details,
          pushback: status.retryPushback.map { "\($0)" }, retryAfter: status.retryAfter.map { "\($0)" }))
    }
    switch fault.abort {
    case .connection(let fault): return .connection(fault)
    case .empty:
      return .status(ReceivedStatus(code: .unimplemented, message: "The answer ended without a message"))
    default: return nil
    }
  }
}
