// SPDX-License-Identifier: Apache-2.0
import Logging
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonResilience
import TaxonTransport

extension Channel {
  /// How a channel connects and how its calls are made.
  public struct Configuration: Sendable {
    /// How calls are retried, guarded and timed.
    public var policy: CallPolicy
    /// What the client accepts of an answer.
    public var limits = ClientLimits()
    /// Windows and frame sizes of the connections. Their limit of streams is the server's affair and has no effect here.
    public var http2 = HTTP2Configuration()
    /// Which of several addresses gets a call.
    public var balancing = Balancing.pickFirst
    /// TLS, with HTTP/2 agreed on by ALPN; nil speaks HTTP/2 unencrypted (h2c).
    public var tls: ClientTLS?
    /// What goes into `:authority`, such as "orders.example.com"; nil: the target's host and port, of a list those of
    /// the first address, and "localhost" for a Unix socket.
    public var authority: String?
    /// How long making a connection may take, with TLS and up to the server's SETTINGS, unless the pause until the next
    /// attempt is longer. 1 ms to 1 h.
    public var connectTimeout: Duration = .seconds(20)
    /// How many calls may wait for a connection, or for room on one; those beyond end at once with
    /// `ConnectionError.TooManyWaitingCalls` (RESOURCE_EXHAUSTED), which is not retried and not counted by breakers. 1 to
    /// 2^31-1.
    public var maxWaitingCalls = 65_536
    /// The pauses between attempts to connect, counted from the beginning of each (gRPC connection-backoff document).
    public var backoff = Backoff(base: .seconds(1), factor: 1.6, cap: .seconds(120), jitter: 0.8...1.2)
    /// When the server is asked whether it is still there.
    public var keepalive = Keepalive()
    /// After how long without a call the connections are closed and the channel is idle; nil for never. At least 1 s.
    public var idleTimeout: Duration? = .seconds(30 * 60)
    /// A name is not resolved again before this time is over. 0 to 1 h.
    public var resolutionInterval: Duration = .seconds(30)
    /// Measures the pauses between attempts of a call and the breaker's time; another one is for tests.
    public var clock: any Clock<Duration> = ContinuousClock()
    /// Errors that may arrive though the method that was called does not declare them: those of another method, or what a
    /// service that is newer than this client raises. They become `.other`, with all that they carry, and `as(_:)` gives
    /// them in their type. Generated files have a registry of what they declare: `[.octollmV1Errors, .shopV1Errors]`.
    /// Taxon's own errors are always known.
    public var knownErrors = ErrorRegistry()
    /// Go around every call, the first outermost.
    public var interceptors: [any ClientInterceptor] = []
    /// Where the channel writes what it decides.
    public var logger = Logger(label: "taxon.client")
    /// Receives what the channel decides about each failed attempt. Called on any thread; must not block.
    public var observer: (@Sendable (CallEvent) -> Void)?

    /// Lets attempts fail on purpose; nil: none does. `TaxonTesting` sets it.
    package var attemptFaults: (any AttemptFaults)?

    /// Instead of the system's resolver, for tests.
    package var nameLookup: NameLookup = systemNameLookup

    /// The values above.
    public init(policy: CallPolicy = .standard, tls: ClientTLS? = nil) {
      self.policy = policy
      self.tls = tls
    }
  }

  /// Which of a target's addresses gets a call.
  public enum Balancing: Sendable, Hashable {
    /// One connection, to the address that answers first; they are tried in their order, the next one when the one
    /// before has not answered within 250 ms. The channel has one circuit breaker.
    case pickFirst
    /// A connection to each address, and each call to the next one that can take it. Each address has a circuit breaker
    /// of its own, and calls pass by an address whose breaker is open.
    case roundRobin
  }

  /// When a client asks the server with a PING whether it is still there (gRPC A8).
  public struct Keepalive: Sendable, Hashable {
    /// After how long without a byte from the server a PING is sent; nil for never. At least 10 s. A server that finds
    /// it too often ends the connection, and the time doubles.
    public var time: Duration?
    /// How long to wait for an answer before the connection is taken for lost. At least 1 s.
    public var timeout: Duration = .seconds(20)
    /// PINGs are sent while no call is open, too.
    public var permitsWithoutCalls = false

    /// The least time, which tests lower.
    package var minimum: Duration = .seconds(10)

    /// A keepalive; none without a time.
    public init(time: Duration? = nil) { self.time = time }
  }
}

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
