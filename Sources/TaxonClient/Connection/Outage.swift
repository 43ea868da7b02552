// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// Why there is no connection. Calls that fail meanwhile have it in their errors.
struct Outage {
  /// What the last attempt was at.
  var phase: ConnectionPhase
  /// Where it led; nil when no address is known, or there is none.
  var address: String?
  /// How many other addresses were tried in vain.
  var otherAddresses = 0
  /// In the words of the system, of TLS or of this library.
  var reason: String
  var cause: (any Error)?
  /// When the first attempt began that failed after the last connection, or that connection was given up as useless.
  var since: NIODeadline
  /// When the last attempt began.
  var began: NIODeadline
  /// No attempt begins before.
  var nextAttempt: NIODeadline

  /// The error of a call that is made now.
  func error(of target: String, at now: NIODeadline) -> ConnectionError.EndpointUnreachable {
    let duration = now - since
    let pause = max(nextAttempt - now, .zero)
    var explanation = failure
    // What has just failed for the first time does not last yet.
    if duration >= .milliseconds(100) { explanation += ", for \(duration.text) now" }
    explanation += pause > .zero ? "; next attempt in \(pause.text)" : "; next attempt with the next call"
    return ConnectionError.EndpointUnreachable(
      endpoint: target, reason: reason, explanation: explanation, phase: phase, address: address,
      otherAddresses: Int32(clamping: otherAddresses), unreachableForMs: duration.milliseconds,
      nextAttemptInMs: pause.milliseconds, cause: cause)
  }

  private var failure: String {
    let peer = address ?? "the server"
    switch phase {
    case .connect: return "connecting to \(peers(peer)) failed: \(reason)"
    case .tls:
      let text = reason.hasPrefix("TLS: ") ? String(reason.dropFirst("TLS: ".count)) : reason
      return "the TLS handshake with \(peers(peer)) failed: \(text)"
    case .preface: return "\(peers(peer)) did not begin HTTP/2: \(reason)"
    case .settings, .goaway: return "\(peers(peer)) takes no calls: \(reason)"
    default: return reason
    }
  }

  private func peers(_ peer: String) -> String {
    switch otherAddresses {
    case 0: peer
    case 1: "\(peer) and one other address"
    default: "\(peer) and \(otherAddresses) other addresses"
    }
  }
}

extension TimeAmount {
  static var zero: TimeAmount { .nanoseconds(0) }

  /// Rounded up, so that waiting that long is enough.
  var milliseconds: Int64 { nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 > 0 ? 1 : 0) }

  /// "0.4 s", "3.2 s", "12 s".
  var text: String {
    let tenths = nanoseconds / 100_000_000
    return tenths >= 100 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
  }
}

/// Writes outages into the log: each kind of failure once until there is a connection again.
struct OutageLog {
  /// What has no connection, in the words of the log: when it is one address of several, the others may be fine.
  private let subject: String
  private var last: String?

  init(subject: String = "the target") { self.subject = subject }

  mutating func note(_ outage: Outage, of target: String, _ logger: Logger) {
    // Times and ports in a reason are not what makes it another one.
    let kind = "\(outage.phase) \(outage.reason.filter { !$0.isNumber })"
    defer { last = kind }
    var metadata: Logger.Metadata = [
      "target": "\(target)", "phase": "\(outage.phase.description)", "reason": "\(outage.reason)",
    ]
    if let address = outage.address { metadata["address"] = "\(address)" }
    logger.log(level: last == kind ? .debug : .notice, "\(subject) cannot be reached", metadata: metadata)
  }

  mutating func end(of target: String, at address: String?, _ logger: Logger) {
    guard last != nil else { return }
    last = nil
    var metadata: Logger.Metadata = ["target": "\(target)"]
    if let address { metadata["address"] = "\(address)" }
    logger.notice("\(subject) can be reached again", metadata: metadata)
  }
}
