// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors

/// Whether, and whose, calls to a server may ask for faults by headers: `taxon-fault`, and Envoy's `x-envoy-fault-…` as gRPC A33 has
/// them. On every road: gRPC, gRPC-Web, Connect, JSON, REST.
public struct FaultHeaders: Sendable {
  /// Nil: nobody; empty: everybody.
  let callers: [FaultCaller]?
  /// The greatest share of calls that a header can have fail, 0 to 1; a header that asks for more gets this (gRPC A33).
  public var maxShare = 1.0

  private init(_ callers: [FaultCaller]?) { self.callers = callers }

  /// The headers say nothing to the server.
  public static let ignored = FaultHeaders(nil)
  /// Every caller may ask. For servers that strangers cannot reach.
  public static let allowed = FaultHeaders([])

  /// Some callers may ask; the others get PERMISSION_DENIED when they do.
  public static func allowed(for callers: FaultCaller...) -> FaultHeaders { FaultHeaders(callers) }

  func includes(_ call: FaultCall) -> Bool {
    guard let callers else { return false }
    return callers.isEmpty || callers.contains { $0.includes(call) }
  }

  /// Whether there is anything to look at.
  static func mayAsk(_ metadata: Metadata) -> Bool {
    metadata.entries.contains { $0.name == FaultHeader.name || $0.name.hasPrefix(EnvoyFaultHeaders.prefix) }
  }
}

/// What the header `taxon-fault` asks for:
///
/// ```text
/// taxon-fault = fault *( ";" parameter ) / parameter *( ";" parameter )
/// fault       = code / domain "/" code          ; declared by the method
///             / "status=" status                ; a plain gRPC status, such as UNAVAILABLE
///             / "reset" [ "=" name ]            ; RST_STREAM; REFUSED_STREAM, CANCEL, INTERNAL_ERROR, …
///             / "goaway" / "close"
/// parameter   = "delay=" duration / "rate=" 0…1 / "times=" 1…1000 / "key=" 1*64 / "messages=" 1…1000000
///             / "damage=" ( "payload" / "truncated" / 1…32768 ) / "retry-after=" duration
/// duration    = 1*7digit ( "ms" / "s" )         ; an hour at most
/// ```
///
/// With `times`, so many calls with the same header fail, then one passes, and it begins anew: what a client's retries need. `key` tells
/// clients apart that ask for the same.
struct FaultHeader: Sendable {
  static let name = "taxon-fault"
  private static let maxLength = 512

  private(set) var fault: Fault
  private(set) var share = 1.0
  private(set) var times: Int?
  /// As it came.
  let text: String

  /// Nil when the header is not there.
  ///
  /// - Throws: INVALID_ARGUMENT, which names what is wrong.
  init?(_ metadata: Metadata) throws(RPCError) {
    let values = metadata.values(Self.name)
    guard let text = values.first else { return nil }
    guard values.count == 1 else { throw Self.refusal("it came \(values.count) times") }
    try self.init(text)
  }

  init(_ text: String) throws(RPCError) {
    guard text.utf8.count <= Self.maxLength else { throw Self.refusal("it is longer than \(Self.maxLength) bytes") }
    self.text = text
    var parts = text.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
    if let fault = try Self.fault(parts[0]) {
      self.fault = fault
      parts.removeFirst()
    } else {
      fault = .delay(.zero)
    }
    var names: Set<Substring> = []
    for part in parts {
      let (name, value) = try Self.pair(part)
      guard names.insert(name).inserted else { throw Self.refusal("\(name) is given twice") }
      try take(name, value, part)
    }
    try check(names)
  }

  /// Nil for a parameter, with which the header may begin.
  private static func fault(_ part: Substring) throws(RPCError) -> Fault? {
    guard let first = part.utf8.first else { throw refusal("a part is empty") }
    switch part {
    case "goaway": return .goAway
    case "close": return .connectionClosed
    case "reset": return .reset()
    default: break
    }
    if (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) || part.contains("/") {
      guard !part.contains("=") else { throw refusal("\(quoted(part)) is no code") }
      return .error(String(part))
    }
    let (name, value) = try pair(part)
    switch name {
    case "status":
      guard let code = StatusCode(name: String(value)) else { throw refusal("gRPC has no status \(quoted(value))") }
      return .status(code)
    case "reset":
      guard let reset = Fault.Reset(rawValue: String(value)) else {
        let all = Fault.Reset.allCases.map(\.rawValue).joined(separator: ", ")
        throw refusal("a stream is not reset with \(quoted(value)), but with one of \(all)")
      }
      return .reset(reset)
    default: return nil
    }
  }

  private mutating func take(_ name: Substring, _ value: Substring, _ part: Substring) throws(RPCError) {
    switch name {
    case "delay": fault = fault.delayed(by: try Self.duration(part, value))
    case "retry-after": fault = fault.retryAfter(try Self.duration(part, value))
    case "rate":
      let isDecimal = value.utf8.count <= 20 && value.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
      guard isDecimal, let share = Double(value), (0...1).contains(share) else {
        throw Self.refusal("\(Self.quoted(part)): a rate is 0 to 1")
      }
      self.share = share
    case "times": times = try Self.number(part, value, 1...1000)
    case "messages": fault = fault.behind(messages: try Self.number(part, value, 1...1_000_000))
    case "key":
      guard (1...64).contains(value.utf8.count) else { throw Self.refusal("a key has 1 to 64 bytes") }
    case "damage":
      switch value {
      case "payload": fault = fault.damaged(.payloadMissing)
      case "truncated": fault = fault.damaged(.truncated)
      default: fault = fault.damaged(.oversized(bytes: try Self.number(part, value, 1...FaultRule.mostDamage)))
      }
    case "status", "reset": throw Self.refusal("\(Self.quoted(part)) has to come first")
    default: throw Self.refusal("there is no parameter \(Self.quoted(name))")
    }
  }

  /// Refuses parameters that have nothing to be parameters of.
  private func check(_ names: Set<Substring>) throws(RPCError) {
    let isError: Bool
    switch fault.abort {
    case nil:
      guard fault.delay > .zero else { throw Self.refusal("it names neither a fault nor a delay") }
      isError = false
    case .declared, .error, .status: isError = true
    case .empty, .connection: isError = false
    }
    if !isError, let name = ["damage", "retry-after"].first(where: { names.contains(Substring($0)) }) {
      throw Self.refusal("\(name) needs an error")
    }
    if fault.leavesTheAnswer, names.contains("messages") {
      throw Self.refusal("messages needs a fault that ends the answer")
    }
    if times == nil, names.contains("key") { throw Self.refusal("key needs times") }
  }

  private static func pair(_ part: Substring) throws(RPCError) -> (name: Substring, value: Substring) {
    guard !part.isEmpty else { throw refusal("a part is empty") }
    guard let sign = part.firstIndex(of: "=") else {
      throw refusal("\(quoted(part)) is neither a fault nor a parameter")
    }
    return (part[..<sign], part[part.index(after: sign)...])
  }

  private static func number(
    _ part: Substring, _ value: Substring, _ range: ClosedRange<Int>
  ) throws(RPCError) -> Int {
    guard (1...7).contains(value.utf8.count), value.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let number = Int(value),
      range.contains(number)
    else { throw refusal("\(quoted(part)): the number is \(range.lowerBound) to \(range.upperBound)") }
    return number
  }

  private static func duration(_ part: Substring, _ value: Substring) throws(RPCError) -> Duration {
    guard let duration = FaultDuration(value) else {
      throw refusal("\(quoted(part)): a duration is written 50ms or 2s, and an hour at most")
    }
    return duration.duration
  }

  private static func trimmed(_ part: Substring) -> Substring {
    var part = part
    while part.first == " " { part.removeFirst() }
    while part.last == " " { part.removeLast() }
    return part
  }

  private static func quoted(_ text: Substring) -> String { "\"\(text.prefix(64))\"" }

  private static func refusal(_ reason: String) -> RPCError { RPCError(.invalidArgument, "\(name): \(reason)") }
}
