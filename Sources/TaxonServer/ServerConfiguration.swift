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
    /// Limits of HTTP/1.1.
    public var http1 = HTTP1Configuration()
    /// Limits of HTTP/2.
    public var http2 = HTTP2Configuration()
    /// Limits of the calls.
    public var calls = ServerCallLimits()
    /// What the server speaks beside gRPC; everything by default.
    public var protocols = ServedProtocols.all
    /// How it speaks Connect.
    public var connect = ConnectSettings()
    /// How it reads and writes JSON.
    public var json = JSONSettings()
    /// Which pages of other origins may call from browsers; nil: none.
    public var cors: CORSSettings?
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
    try checkHTTP1()
    try checkHTTP2()
    try Self.check("calls.maxMessageSize", calls.maxMessageSize, 1...(1 << 31 - 1))
    try Self.check("calls.maxHeaderListSize", calls.maxHeaderListSize, 256...(1 << 30))
    try Self.check("calls.maxTrailersSize", calls.maxTrailersSize, 256...(64 * 1024))
    if let name = calls.requestIDHeader {
      // A name that no request can have would go unnoticed for ever.
      var metadata = Metadata()
      guard name == name.lowercased(), metadata.add(name, "1") else {
        throw .invalidSetting(
          name: "calls.requestIDHeader", value: name,
          reason: "it must be the name of a header with text, in lower case, such as x-request-id")
      }
    }
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
    if let fault = cors?.fault { throw .invalidSetting(name: fault.name, value: fault.value, reason: fault.reason) }
    try undeclaredErrors.check()
  }

  private func checkHTTP1() throws(SetupError) {
    let times = [
      ("headTimeout", http1.headTimeout), ("idleTimeout", http1.idleTimeout), ("bodyTimeout", http1.bodyTimeout),
    ]
    for case (let name, let time?) in times { try Self.check("http1.\(name)", time, from: .milliseconds(1)) }
    try Self.check("http1.minBodyRate", http1.minBodyRate, 0...1_000_000)
    for (name, budget) in [("smallChunks", http1.smallChunks), ("unreadBodies", http1.unreadBodies)] {
      try Self.check("http1.\(name).burst", budget.burst, 1...1_000_000)
      try Self.check("http1.\(name).perSecond", budget.perSecond, 0...1_000_000)
    }
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

/// What a server allows its connections.
public struct ConnectionLimits: Sendable, Hashable {
  /// How long a connection may take for the TLS handshake, the client's preface and its answer to SETTINGS. 1 ms or more.
  public var setupTimeout: Duration = .seconds(10)
  /// How many connections there may be at once; those that come on top are closed at once. 1 to 10,000,000.
  public var maxConnections = 65_536
  /// How many calls of one connection may be there at once, those that the client has given up and whose handlers still
  /// run included; further ones are refused with REFUSED_STREAM. 1 to 1,000,000.
  public var maxRunningCalls = 200
  /// Bytes that the system takes for a peer that does not read before this end stops reading as well, 1 to 2^30. Reading
  /// goes on when half of them are gone.
  public var outboundHighWater = 1024 * 1024
  /// Bytes of replies that may wait for a peer's windows, on all of its calls; calls that come beyond that wait to be
  /// started until there is room. 1 to 2^40.
  public var maxBufferedBytes = 16 * 1024 * 1024

  /// Bytes of replies that may wait for peers' windows, on all connections; beyond that, calls of connections that have
  /// more than 64 KiB waiting, or whose peers' windows are closed, wait to be started, and their handlers' writes wait.
  /// Where the windows are closed, and requests hold more than 64 KiB, they end with `CallError.ServerOverloaded`. 1 to
  /// 2^40.
  public var maxTotalBufferedBytes = 12 * 1024 * 1024
  /// Bytes that a connection's requests may hold: messages that wait to be read (decoded, an empty one as its place in a
  /// list), requests whose handlers run, and parts of messages. Beyond that, windows are not opened, but for one stream.
  /// What the windows of 100 streams let through at the beginning comes on top. 1 to 2^40.
  public var maxUnreadBytes = 16 * 1024 * 1024
  /// The same on all connections. Beyond that, calls of connections that hold more than 64 KiB are ended with
  /// `CallError.ServerOverloaded` when more of them comes. 1 to 2^40.
  public var maxTotalUnreadBytes = 128 * 1024 * 1024
  /// How long a peer may take less than 16 KiB of the replies that wait for its windows while one of the bounds is
  /// reached: then the streams are reset, or the connection is ended with ENHANCE_YOUR_CALM when the peer takes nothing at
  /// all. Not to be confused with a slow reader below the bounds, who may take as long as it likes. 1 ms or more.
  public var stallTimeout: Duration = .seconds(20)

  /// The values above.
  public init() {}
}

/// How a server finds out that a peer is gone, how long it keeps a connection, and what it asks of the peers' own
/// keepalive (gRPC A8, A9 and its keepalive document).
public struct KeepaliveSettings: Sendable, Hashable {
  /// A peer that has not been heard of for so long is sent a PING. 1 ms or more.
  public var time: Duration = .seconds(2 * 60 * 60)
  /// How long it then has to be heard of, before the connection is closed. 1 ms or more.
  public var timeout: Duration = .seconds(20)
  /// A connection that has had no calls for so long is closed gracefully; nil: never. 1 ms or more.
  public var maxConnectionIdle: Duration?
  /// A connection that is so old, give or take a tenth, is closed gracefully, so that clients spread over servers anew;
  /// nil: never. 1 ms or more.
  public var maxConnectionAge: Duration?
  /// How long the calls of such a connection, old or idle, may go on; nil: as long as they like. 1 ms or more.
  public var maxConnectionAgeGrace: Duration?
  /// The least time between two PINGs of a client with no HEADERS and DATA in between. A client that is too quick three
  /// times gets GOAWAY with ENHANCE_YOUR_CALM and "too_many_pings". 0 or more.
  public var minPingInterval: Duration = .seconds(5 * 60)
  /// Whether clients may send PINGs, so often, while they have no calls; otherwise once in two hours.
  public var permitsPingsWithoutCalls = false

  /// The values above.
  public init() {}
}

/// Where a server listens.
public enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
  /// A name or an address, such as "127.0.0.1", "::" or "localhost", and a port, 0 to 65,535; 0 takes any free port,
  /// which `Server.port` then tells.
  case tcp(host: String, port: Int)
  /// A Unix socket. What the server makes is removed when it shuts down; a socket that another process left behind, and
  /// on which nobody listens, is replaced.
  case unix(path: String)
  /// Nowhere: connections come another way.
  case none

  /// As gRPC writes targets.
  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    case .none: "none"
    }
  }
}

/// Which declared errors may leave by methods that do not raise them.
///
/// What a handler or an interceptor throws and the method does not raise is answered with `INTERNAL_ERROR`, of which the
/// log says which error it was; the counter "taxon.server.undeclared" (service, method) counts it. A plain gRPC status and
/// what Taxon itself reports of a call (`CallError`) leave by every method. To let an interceptor refuse calls with an
/// error of a schema, without each method raising it:
///
/// ```swift
/// configuration.undeclaredErrors.pass(AccessError.TokenExpired.self)
/// ```
///
/// An error that came out of a call of the handler's is never passed on by this: what it means to the caller is for the
/// method to say.
public struct UndeclaredErrors: Hashable, Sendable {
  /// Errors that may leave by every method.
  public var passing: Set<ErrorIdentity> = []
  /// Domains, such as "octollm.dev", all of whose errors may leave by every method.
  public var passingDomains: Set<String> = []

  /// None may.
  public init() {}

  /// Lets errors leave by every method.
  public mutating func pass(_ errors: any DeclaredError.Type...) {
    for error in errors { passing.insert(error.declaration.identity) }
  }

  /// Lets all errors of a category leave by every method.
  public mutating func pass(_ category: any ErrorUnion.Type) {
    for error in category.members { passing.insert(error.declaration.identity) }
  }

  func passes(_ identity: ErrorIdentity) -> Bool {
    passing.contains(identity) || passingDomains.contains(identity.domain)
  }

  /// - Throws: `SetupError.invalidSetting` for what cannot be a domain or a code, and so lets nothing pass.
  func check() throws(SetupError) {
    for domain in passingDomains.sorted() where !Self.isName(domain) {
      throw .invalidSetting(
        name: "undeclaredErrors.passingDomains", value: domain, reason: "a domain is a DNS name, such as octollm.dev")
    }
    for identity in passing.sorted(by: { $0.description < $1.description })
    where !Self.isName(identity.domain) || !Self.isName(identity.code) {
      throw .invalidSetting(
        name: "undeclaredErrors.passing", value: "\(identity)",
        reason: "an error has a domain and a code, such as octollm.dev and TASK_NOT_FOUND")
    }
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 < 0x7F && $0 != UInt8(ascii: "/") }
  }
}
