// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

extension Server {
  /// Where a server listens and what it allows.
  public struct Configuration: Sendable {
    /// Where the server listens.
    public var address: ListenAddress
    /// How connections are encrypted; nil: not at all.
    public var tls: ServerTLS?
    /// How many threads serve connections, 1 to 1,024; nil shares the process's own, one a core.
    public var threads: Int?
    /// How long calls that are there may go on once the server shuts down.
    public var gracePeriod: Duration = .seconds(30)
    /// Limits of HTTP/2.
    public var http2 = HTTP2Configuration()
    /// Limits of the calls.
    public var calls = ServerCallLimits()
    /// Whether the server says what it offers, and by which schemas, to whom asks (`grpc.reflection.v1` and `v1alpha`), as
    /// grpcurl and `buf curl` do. Schemas of generated code tell the names of all fields, those that are kept internal too.
    public var reflection = false
    /// What goes around the handlers, outermost first.
    public var interceptors: [any ServerInterceptor] = []
    /// Which errors may leave by methods that do not raise them; none by default.
    public var undeclaredErrors = UndeclaredErrors()
    /// Limits of the connections.
    public var connections = ConnectionLimits()
    /// How long connections live.
    public var keepalive = KeepaliveSettings()

    /// A server on a host and a port.
    public init(host: String = "127.0.0.1", port: Int = 50051, tls: ServerTLS? = nil, threads: Int? = nil) {
      self.init(address: .tcp(host: host, port: port), tls: tls, threads: threads)
    }

    /// A server on an address.
    public init(address: ListenAddress, tls: ServerTLS? = nil, threads: Int? = nil) {
      self.address = address
      self.tls = tls
      self.threads = threads
    }
  }
}

extension Server.Configuration {
  /// Finds settings that are out of bounds.
  ///
  /// - Throws: `SetupError.invalidSetting`, which names the first of them.
  func check() throws(SetupError) {
    if case .tcp(_, let port) = address { try Self.check("port", port, 0...65_535) }
    if let threads { try Self.check("threads", threads, 1...1024) }
    try Self.check("gracePeriod", gracePeriod, from: .zero)
    try checkHTTP2()
    try Self.check("calls.maxMessageSize", calls.maxMessageSize, 1...(1 << 31 - 1))
    try Self.check("calls.maxHeaderListSize", calls.maxHeaderListSize, 256...(1 << 30))
    try Self.check("calls.maxTrailersSize", calls.maxTrailersSize, 256...(64 * 1024))
    try Self.check("connections.setupTimeout", connections.setupTimeout, from: .milliseconds(1))
    try Self.check("connections.maxConnections", connections.maxConnections, 1...10_000_000)
    try Self.check("connections.maxRunningCalls", connections.maxRunningCalls, 1...1_000_000)
    try Self.check("connections.outboundHighWater", connections.outboundHighWater, 1...(1 << 30))
    let sums = [
      ("maxBufferedBytes", connections.maxBufferedBytes),
      ("maxTotalBufferedBytes", connections.maxTotalBufferedBytes),
      ("maxUnreadBytes", connections.maxUnreadBytes), ("maxTotalUnreadBytes", connections.maxTotalUnreadBytes),
    ]
    for (name, bytes) in sums { try Self.check("connections.\(name)", bytes, 1...(1 << 40)) }
    try Self.check("connections.stallTimeout", connections.stallTimeout, from: .milliseconds(1))
    try checkKeepalive()
    try undeclaredErrors.check()
  }

  private func checkHTTP2() throws(SetupError) {
    try Self.check("http2.maxConcurrentStreams", http2.maxConcurrentStreams, 1...(1 << 31 - 1))
    try Self.check("http2.maxFrameSize", http2.maxFrameSize, 16_384...16_777_215)
    try Self.check("http2.streamWindow", http2.streamWindow, 1...(1 << 31 - 1))
    try Self.check("http2.maxStreamWindow", http2.maxStreamWindow, http2.streamWindow...(1 << 31 - 1))
    try Self.check("http2.connectionWindow", http2.connectionWindow, 65_535...(1 << 31 - 1))
    let flood = http2.flood
    let budgets = [
      ("resets", flood.resets), ("resetsCaused", flood.resetsCaused), ("pings", flood.pings),
      ("settings", flood.settings), ("emptyData", flood.emptyData), ("largeHeaders", flood.largeHeaders),
      ("smallData", flood.smallData),
    ]
    for (name, budget) in budgets {
      try Self.check("http2.flood.\(name).burst", budget.burst, 1...1_000_000)
      try Self.check("http2.flood.\(name).perSecond", budget.perSecond, 0...1_000_000)
    }
    try Self.check("http2.flood.maxContinuations", flood.maxContinuations, 1...10_000)
    try Self.check("http2.flood.maxUnsentAcks", flood.maxUnsentAcks, 1...1_000_000)
  }

  private func checkKeepalive() throws(SetupError) {
    try Self.check("keepalive.minPingInterval", keepalive.minPingInterval, from: .zero)
    let times = [
      ("time", keepalive.time), ("timeout", keepalive.timeout), ("maxConnectionIdle", keepalive.maxConnectionIdle),
      ("maxConnectionAge", keepalive.maxConnectionAge), ("maxConnectionAgeGrace", keepalive.maxConnectionAgeGrace),
    ]
    for case (let name, let time?) in times { try Self.check("keepalive.\(name)", time, from: .milliseconds(1)) }
  }

  private static func check(_ name: String, _ value: Int, _ bounds: ClosedRange<Int>) throws(SetupError) {
    guard !bounds.contains(value) else { return }
    throw .invalidSetting(
      name: name, value: "\(value)", reason: "it must be \(bounds.lowerBound) to \(bounds.upperBound)")
  }

  private static func check(_ name: String, _ value: Duration, from bound: Duration) throws(SetupError) {
    // NIO counts nanoseconds in 64 bits: some hundred years.
    guard value < bound || value > .seconds(100 * 365 * 86_400) else { return }
    throw .invalidSetting(name: name, value: "\(value.bounded)", reason: "it must be \(bound) to a hundred years")
  }
}
