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

  /// Bytes of the head as HTTP/2 counts them, 32 on top of each field (RFC 9113 §6.5.2).
  private(set) var size: Int
  private var longestName = 0

  /// Checks a head.
  ///
  /// - Throws: `HTTP1Fault` for what may not be handed on.
  init(_ head: HTTPRequestHead) throws(HTTP1Fault) {
    method = head.method.rawValue
    isOld = head.version.minor == 0
    keepsAlive = !isOld
    size = ":method".utf8.count + method.utf8.count + ":path".utf8.count + head.uri.utf8.count + 2 * 32
    var (host, length, coding) = (Once(), Once(), Once())
    var expectation: String?
    var endsConnection = false
    for (name, value) in head.headers {
      let count = name.utf8.count
      size += count + value.utf8.count + 32
      longestName = max(longestName, count)
      switch count {
      case 4 where name.isField("host"): host.take(value.trimmed())
      case 6 where name.isField("expect"): expectation = value.trimmed()
      // The decoder reads nothing behind it.
      case 7 where name.isField("upgrade"): endsConnection = true
      case 10 where name.isField("connection"):
        if Self.has("close", value) { endsConnection = true }
        if isOld, Self.has("keep-alive", value) { keepsAlive = true }
      // The decoder takes it for the same.
      case 16 where name.isField("proxy-connection"): if Self.has("close", value) { endsConnection = true }
      case 14 where name.isField("content-length"): length.take(value.trimmed(hasTabs: false))
      case 17 where name.isField("transfer-encoding"): coding.take(value.trimmed(hasTabs: false))
      default: break
      }
    }
    if endsConnection { keepsAlive = false }
    body = try Self.body(length, coding, isOld: isOld)
    try readTarget(head.uri, host: try Self.host(host, isOld: isOld))
    if let expectation, !isOld {
      guard expectation.isField("100-continue") else {
        throw HTTP1Fault(417, "The only expectation that is met is 100-continue")
      }
      awaitsContinue = body != .none
    }
  }

  /// A field that a head may have once.
  private struct Once {
    private(set) var value: String?
    private(set) var isRepeated = false

    mutating func take(_ value: String) {
      isRepeated = self.value != nil
      self.value = value
    }
  }

  /// Whether the value, a list, has the option.
  private static func has(_ option: StaticString, _ value: String) -> Bool {
    value.utf8.split(separator: UInt8(ascii: ",")).contains { part in
      Substring(part).filter { $0 != " " && $0 != "\t" }.isField(option)
    }
  }

  /// Whether the decoder may read nothing behind the trailers: it heeds what they say of the connection, where they may not.
  static func endsDecoding(_ trailers: HTTPHeaders) -> Bool {
    trailers.contains { name, _ in name.isField("connection") || name.isField("proxy-connection") }
  }

  private static func body(_ length: Once, _ coding: Once, isOld: Bool) throws(HTTP1Fault) -> Body {
    let isRepeated = coding.isRepeated
    if let coding = coding.value {
      guard length.value == nil else { throw .malformed("The request has content-length and transfer-encoding") }
      guard !isOld else { throw .malformed("HTTP/1.0 has no transfer-encoding") }
      guard !isRepeated, coding.isField("chunked") else {
        throw .malformed("The only transfer-encoding that is taken is chunked")
      }
      return .chunked
    }
    guard let text = length.value else { return .none }
    guard !length.isRepeated else { throw .malformed("The request has content-length more than once") }
    let isNumber = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard isNumber, let length = Int(text) else { throw .malformed("content-length is no number of bytes") }
    return length == 0 ? .none : .length(length)
  }

  private static func host(_ host: Once, isOld: Bool) throws(HTTP1Fault) -> String? {
    guard let name = host.value else {
      guard isOld else { throw .malformed("The request has no host") }
      return nil
    }
    guard !host.isRepeated else { throw .malformed("The request has host more than once") }
    guard isHost(name) else { throw .malformed("host is no name or address with a port") }
    return name
  }

  private static func isHost(_ host: String) -> Bool {
    host.withBytes { $0.allSatisfy(HTTP1Bytes.isHost) }
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
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: longestName) { space in
      for (name, value) in headers {
        name.withBytes { for index in $0.indices { space[index] = HTTP1Bytes.lower($0[index]) } }
        let name = UnsafeBufferPointer(rebasing: space[..<name.utf8.count])
        if !Self.isOwn(name) { value.withBytes { receiver.received(name: name, value: $0.trimmed()) } }
      }
    }
  }

  /// True for fields of the connection or of the framing: not the exchange's (RFC 9110 §7.6.1).
  private static func isOwn(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    switch name.count {
    case 4: name.equals("host")
    case 6: name.equals("expect")
    case 7: name.equals("upgrade")
    case 10: name.equals("connection") || name.equals("keep-alive")
    case 14: name.equals("http2-settings")
    case 16: name.equals("proxy-connection")
    case 17: name.equals("transfer-encoding")
    default: false
    }
  }

  private static func hand(_ name: StaticString, _ value: String, to receiver: any HTTPExchangeReceiver) {
    value.withBytes { receiver.received(name: bytes(name), value: $0) }
  }

  private static func bytes(_ text: StaticString) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// The bytes without white space at their end, which the decoder leaves to a field's value and is not part of it (RFC 9112 §5).
  ///
  /// - Parameter hasTabs: Whether tabs are white space. Where the decoder looks for the end of a body, they are not to it.
  fileprivate func trimmed(hasTabs: Bool = true) -> UnsafeBufferPointer<UInt8> {
    var count = count
    while count > 0, self[count - 1] == UInt8(ascii: " ") || hasTabs && self[count - 1] == UInt8(ascii: "\t") {
      count -= 1
    }
    return UnsafeBufferPointer(rebasing: self[..<count])
  }
}

extension String {
  /// The same of a text.
  fileprivate func trimmed(hasTabs: Bool = true) -> String {
    let kept = withBytes { $0.trimmed(hasTabs: hasTabs).count }
    return kept == utf8.count ? self : String(decoding: utf8.prefix(kept), as: UTF8.self)
  }
}

extension StringProtocol {
  /// Whether it is the text, which is in lower case, in any case.
  func isField(_ expected: StaticString) -> Bool { withBytes { $0.isField(expected) } }

  /// Calls `body` with the bytes, which are not copied where they lie together, as those of all texts of the decoder do.
  fileprivate func withBytes<T>(_ body: (UnsafeBufferPointer<UInt8>) -> T) -> T {
    if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
    var copy = String(self)
    return copy.withUTF8(body)
  }
}
