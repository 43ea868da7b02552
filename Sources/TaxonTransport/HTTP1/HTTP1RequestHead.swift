// SPDX-License-Identifier: Apache-2.0
import NIOHTTP1

/// What the head of a request says of its framing, its target and its connection (RFC 9112), once it is checked. No I/O.
struct HTTP1RequestHead {
  /// How the end of the body is found (RFC 9112 §6.3).
  enum Body: Equatable {
    case none
    case length(Int)
    case chunked
  }

  private(set) var body = Body.none
  /// The target as `:path` has it: its path and query, or "*".
  private(set) var path = ""
  /// Host, or what the target has in its place; nil without either (HTTP/1.0).
  private(set) var authority: String?
  let method: String
  /// True for HTTP/1.0, which knows no chunks.
  let isOld: Bool
  /// The client has nothing against further requests on the connection.
  private(set) var keepsAlive: Bool
  /// The client waits for 100 before it sends the body.
  private(set) var awaitsContinue = false

  /// Fields of the connection or of the framing: not the exchange's (RFC 9110 §7.6.1).
  private static let own: Set<String> = [
    "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host", "expect", "http2-settings",
  ]

  /// Checks a head.
  ///
  /// - Parameter field: Called with each field that is the exchange's, its name in lower case, once all is checked.
  /// - Throws: `HTTP1Fault` for what may not be handed on.
  init(_ head: HTTPRequestHead) throws(HTTP1Fault) {
    method = head.method.rawValue
    isOld = head.version.minor == 0
    keepsAlive = !isOld
    var (hosts, lengths, codings): ([String], [String], [String]) = ([], [], [])
    var expectation: String?
    var isUpgrade = false
    for (name, value) in head.headers {
      switch name.utf8.count {
      case 4 where name.isField("host"): hosts.append(value)
      case 6 where name.isField("expect"): expectation = value
      case 7 where name.isField("upgrade"): isUpgrade = true
      case 10 where name.isField("connection"): readConnection(value)
      case 14 where name.isField("content-length"): lengths.append(value)
      case 17 where name.isField("transfer-encoding"): codings.append(value)
      default: break
      }
    }
    // The decoder reads nothing behind it.
    if isUpgrade { keepsAlive = false }
    body = try Self.body(lengths, codings, isOld: isOld)
    try readTarget(head.uri, host: try Self.host(hosts, isOld: isOld))
    if let expectation, !isOld {
      guard expectation.isField("100-continue") else {
        throw HTTP1Fault(417, "The only expectation that is met is 100-continue")
      }
      awaitsContinue = body != .none
    }
  }

  private mutating func readConnection(_ value: String) {
    for option in value.utf8.split(separator: UInt8(ascii: ",")) {
      let option = Substring(option).filter { $0 != " " && $0 != "\t" }
      if option.isField("close") { keepsAlive = false }
      if option.isField("keep-alive"), isOld { keepsAlive = true }
    }
  }

  private static func body(_ lengths: [String], _ codings: [String], isOld: Bool) throws(HTTP1Fault) -> Body {
    guard codings.isEmpty else {
      guard lengths.isEmpty else { throw .malformed("The request has content-length and transfer-encoding") }
      guard !isOld else { throw .malformed("HTTP/1.0 has no transfer-encoding") }
      guard codings.count == 1, codings[0].isField("chunked") else {
        throw .malformed("The only transfer-encoding that is taken is chunked")
      }
      return .chunked
    }
    guard let text = lengths.first else { return .none }
    guard lengths.count == 1 else { throw .malformed("The request has content-length more than once") }
    let isNumber = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isNumber, let length = Int(text) else { throw .malformed("content-length is no number of bytes") }
    return length == 0 ? .none : .length(length)
  }

  private static func host(_ hosts: [String], isOld: Bool) throws(HTTP1Fault) -> String? {
    guard let host = hosts.first else {
      guard isOld else { throw .malformed("The request has no host") }
      return nil
    }
    guard hosts.count == 1 else { throw .malformed("The request has host more than once") }
    guard isHost(host) else { throw .malformed("host is no name or address with a port") }
    return host
  }

  /// True for what the grammar of a host and a port has (RFC 3986 §3.2.2), without the comma, by which proxies join fields.
  private static func isHost(_ host: String) -> Bool {
    host.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: ":"):
        true
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"),
        UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
        UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ";"), UInt8(ascii: "="), UInt8(ascii: "%"),
        UInt8(ascii: "["), UInt8(ascii: "]"):
        true
      default: false
      }
    }
  }

  /// Reads the target in one of its forms (RFC 9112 §3.2).
  private mutating func readTarget(_ target: String, host: String?) throws(HTTP1Fault) {
    authority = host
    if target.utf8.first == UInt8(ascii: "/") {
      path = target
    } else if method == "CONNECT" {
      throw HTTP1Fault(501, "The server is no proxy")
    } else if target == "*" {
      guard method == "OPTIONS" else { throw .malformed("The target * is for OPTIONS alone") }
      path = target
    } else {
      try readAbsolute(target)
    }
  }

  private mutating func readAbsolute(_ target: String) throws(HTTP1Fault) {
    let bytes = target.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      target[..<colon].isField("http") || target[..<colon].isField("https"),
      target[colon...].hasPrefix("://")
    else { throw .malformed("The target is neither a path nor a URI of http or https") }
    let rest = target[colon...].dropFirst(3)
    let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
    let name = String(rest[..<end])
    guard !name.isEmpty, Self.isHost(name) else { throw .malformed("The target names no host") }
    // It takes the place of Host (RFC 9112 §3.2.2).
    authority = name
    let tail = rest[end...]
    path = tail.isEmpty ? (method == "OPTIONS" ? "*" : "/") : tail.first == "/" ? String(tail) : "/" + tail
  }

  /// Hands the head on as HTTP/2 would: pseudo header fields, then what is the exchange's, names in lower case.
  func deliver(_ headers: HTTPHeaders, scheme: StaticString, to receiver: any HTTPExchangeReceiver) {
    Self.hand(":method", method, to: receiver)
    Self.hand(":path", path, to: receiver)
    receiver.received(name: Self.bytes(":scheme"), value: Self.bytes(scheme))
    if let authority, !authority.isEmpty { Self.hand(":authority", authority, to: receiver) }
    for (name, value) in headers {
      let lower = name.utf8.contains { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } ? name.lowercased() : name
      if Self.own.contains(lower) { continue }
      var (name, text) = (lower, value)
      name.withUTF8 { name in text.withUTF8 { receiver.received(name: name, value: $0) } }
    }
  }

  private static func hand(_ name: StaticString, _ value: String, to receiver: any HTTPExchangeReceiver) {
    var value = value
    value.withUTF8 { receiver.received(name: bytes(name), value: $0) }
  }

  private static func bytes(_ text: StaticString) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }

  /// The size of the head as HTTP/2 counts it, 32 bytes on top of each field (RFC 9113 §6.5.2).
  static func listSize(_ head: HTTPRequestHead) -> Int {
    var size = head.method.rawValue.utf8.count + head.uri.utf8.count + 7 + 5 + 32 + 32
    for (name, value) in head.headers { size += name.utf8.count + value.utf8.count + 32 }
    return size
  }
}

extension StringProtocol {
  /// Whether it is the text, which is in lower case, in any case.
  func isField(_ expected: StaticString) -> Bool {
    guard utf8.count == expected.utf8CodeUnitCount else { return false }
    var position = expected.utf8Start
    for byte in utf8 {
      let lower = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
      guard lower == position.pointee else { return false }
      position += 1
    }
    return true
  }
}
