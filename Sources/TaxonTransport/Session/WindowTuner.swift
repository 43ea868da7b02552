// SPDX-License-Identifier: Apache-2.0

/// Finds windows that do not hold up the peer. What arrives between a PING and its answer is what one round trip brings;
/// when it comes near the window, the window is what limits it, and it is doubled. No I/O.
struct WindowTuner {
  /// Bytes that the peer may send on one stream before they are consumed.
  private(set) var window: Int
  private let limit: Int
  private var received = 0
  private var isMeasuring = false
  /// Bytes that come before a round trip is measured: small calls cause no PINGs to speak of.
  private var threshold: Int { window / 4 }

  init(window: Int, limit: Int) {
    self.window = window
    self.limit = limit
  }

  /// Bytes of bodies came. True: send a PING, whose answer is to be told to `measured`.
  mutating func received(_ count: Int) -> Bool {
    guard window < limit else { return false }
    received += count
    guard !isMeasuring, received >= threshold else { return false }
    isMeasuring = true
    received = 0
    return true
  }

  /// The PING was answered.
  ///
  /// - Returns: The new window, when it grows.
  mutating func measured() -> Int? {
    guard isMeasuring else { return nil }
    isMeasuring = false
    defer { received = 0 }
    guard received > window / 3 * 2 else { return nil }
    window = min(limit, window * 2)
    return window
  }
}
