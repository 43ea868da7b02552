// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

extension Channel.Configuration {
  /// Checks that every setting is within its bounds.
  ///
  /// - Throws: `SetupError.InvalidSetting` for the first that is not.
  func check() throws(SetupError) {
    let hour = Duration.seconds(3600)
    try check("connectTimeout", connectTimeout, in: .milliseconds(1)...hour)
    try check("resolutionInterval", resolutionInterval, in: .zero...hour)
    try check("backoff.base", backoff.base, in: .milliseconds(1)...hour)
    try check("backoff.cap", backoff.cap, in: backoff.base...max(backoff.base, .seconds(24 * 3600)))
    try check("backoff.jitter", backoff.jitter.lowerBound, in: 0...10)
    try check("backoff.jitter", backoff.jitter.upperBound, in: 0...10)
    if let time = keepalive.time { try check("keepalive.time", time, in: keepalive.minimum...(hour * 24)) }
    try check("keepalive.timeout", keepalive.timeout, in: min(.seconds(1), keepalive.minimum)...hour)
    if let idleTimeout { try check("idleTimeout", idleTimeout, in: .seconds(1)...(hour * 24 * 365)) }
    let most = Int(Int32.max)
    try check("limits.maxMessageSize", limits.maxMessageSize, in: 1...most)
    try check("limits.maxHeaderListSize", limits.maxHeaderListSize, in: 1...most)
    try check("maxWaitingCalls", maxWaitingCalls, in: 1...most)
    try check("http2.maxFrameSize", http2.maxFrameSize, in: 16_384...16_777_215)
    try check("http2.streamWindow", http2.streamWindow, in: 1...most)
    try check("http2.connectionWindow", http2.connectionWindow, in: 65_535...most)
    if let authority, authority.isEmpty || !authority.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) {
      throw .invalidSetting(name: "authority", value: authority, reason: "it must be printable ASCII without spaces")
    }
  }

  private func check<Value: Comparable>(
    _ name: String, _ value: Value, in range: ClosedRange<Value>
  ) throws(SetupError) {
    guard range.contains(value) else {
      // A duration is only text within bounds.
      let value: Any = (value as? Duration)?.bounded ?? value
      throw .invalidSetting(
        name: name, value: "\(value)", reason: "it must be \(range.lowerBound) to \(range.upperBound)")
    }
  }
}
