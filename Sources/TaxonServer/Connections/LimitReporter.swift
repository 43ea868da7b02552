// SPDX-License-Identifier: Apache-2.0
import Logging
import Metrics
import NIOCore
import TaxonProtobuf

/// Says, in the log and in the counter "taxon.server.limit" with the dimension "limit", that a limit was reached. The
/// counter counts every time; the log has each limit once a second at most.
final class LimitReporter: Sendable {
  private struct Entry {
    var logged: NIODeadline
    var left = 0
  }

  let logger: Logger
  private let entries = Locked<[String: Entry]>([:])

  init(logger: Logger) { self.logger = logger }

  /// - Parameters:
  ///   - limit: The limit's name, such as "too_many_pings".
  ///   - peer: Who reached it.
  ///   - reason: What more there is to say.
  func reached(_ limit: String, peer: String, reason: String = "") {
    Counter(label: "taxon.server.limit", dimensions: [("limit", limit)]).increment()
    guard let left = mayLog(limit, now: .now()) else { return }
    var metadata: Logger.Metadata = ["limit": "\(limit)", "peer": "\(peer)"]
    if !reason.isEmpty { metadata["reason"] = "\(reason)" }
    if left > 0 { metadata["not_logged"] = "\(left)" }
    logger.warning("a limit was reached", metadata: metadata)
  }

  /// A peer and this server did not agree on a secure connection: says why, once a second at most.
  func handshakeFailed(peer: String, reason: String) {
    guard let left = mayLog("handshake", now: .now()) else { return }
    var metadata: Logger.Metadata = ["peer": "\(peer)", "reason": "\(reason)"]
    if left > 0 { metadata["not_logged"] = "\(left)" }
    logger.notice("the TLS handshake with a peer failed", metadata: metadata)
  }

  /// A peer speaks what this server does not: says so, once a second at most.
  func unknownProtocol(peer: String, reason: String) {
    guard let left = mayLog("protocol", now: .now()) else { return }
    var metadata: Logger.Metadata = ["peer": "\(peer)", "reason": "\(reason)"]
    if left > 0 { metadata["not_logged"] = "\(left)" }
    logger.notice("a connection was closed for what it began with", metadata: metadata)
  }

  /// How many times were left out since the last line; nil when this one is to be left out.
  private func mayLog(_ limit: String, now: NIODeadline) -> Int? {
    entries.withLock { entries in
      guard let entry = entries[limit], now - entry.logged < .seconds(1) else {
        defer { entries[limit] = Entry(logged: now) }
        return entries[limit]?.left ?? 0
      }
      entries[limit]?.left += 1
      return nil
    }
  }
}
