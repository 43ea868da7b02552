// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonTransport

/// Requests that two readers may read differently: each is refused, the connection ends, and nothing behind them is read. What
/// they hide is harmless.
struct HTTP1SmugglingTests {
  private static let hidden = HTTP1Text.get("/hidden")
  private static let lengths = [
    "two, equal": "Content-Length: 5\r\nContent-Length: 5\r\n",
    "two, different": "Content-Length: 5\r\nContent-Length: 6\r\n",
    "a list": "Content-Length: 5, 5\r\n", "negative": "Content-Length: -5\r\n", "a sign": "Content-Length: +5\r\n",
    "hexadecimal": "Content-Length: 0x5\r\n", "an exponent": "Content-Length: 5e0\r\n",
    "a fraction": "Content-Length: 5.0\r\n",
    "empty": "Content-Length:\r\n", "a word": "Content-Length: five\r\n",
    "something behind it": "Content-Length: 5 5\r\n",
    "too large": "Content-Length: 9223372036854775808\r\n",
    "far too large": "Content-Length: 99999999999999999999999999999999\r\n",
    "a vertical tab": "Content-Length: \u{b}5\r\n", "a NUL": "Content-Length: 5\0\r\n",
    "a digit of another script": "Content-Length: ٥\r\n",
    "a space before the colon": "Content-Length : 5\r\n", "a tab before the colon": "Content-Length\t: 5\r\n",
    "folded": "Content-Length:\r\n 5\r\n", "folded by a tab": "Content-Length:\r\n\t5\r\n",
    "behind a bare LF": "A: b\nContent-Length: 5\r\n", "behind a bare CR": "A: b\rContent-Length: 5\r\n",
    "one in another case": "content-length: 5\r\nCONTENT-LENGTH: 5\r\n",
  ]
  private static let codings = [
    "with a length before": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "with a length behind": "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    "with a length of 0": "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
    "two": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "two, one identity": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
    "identity": "Transfer-Encoding: identity\r\n", "gzip": "Transfer-Encoding: gzip\r\n",
    "gzip before it": "Transfer-Encoding: gzip, chunked\r\n",
    "identity behind it": "Transfer-Encoding: chunked, identity\r\n",
    "twice in one": "Transfer-Encoding: chunked, chunked\r\n", "a letter before": "Transfer-Encoding: xchunked\r\n",
    "a letter behind": "Transfer-Encoding: chunkedx\r\n", "a parameter": "Transfer-Encoding: chunked;a=b\r\n",
    "a comma before": "Transfer-Encoding: ,chunked\r\n", "a comma behind": "Transfer-Encoding: chunked,\r\n",
    "quoted": "Transfer-Encoding: \"chunked\"\r\n", "empty": "Transfer-Encoding:\r\n",
    "a tab behind": "Transfer-Encoding: chunked\t\r\n",
    "a vertical tab": "Transfer-Encoding: \u{b}chunked\r\n", "a form feed": "Transfer-Encoding: \u{c}chunked\r\n",
    "a NUL": "Transfer-Encoding: chunked\0\r\n", "a letter that is no ASCII": "Transfer-Encoding: chun\u{212A}ed\r\n",
    "a long s": "Tran\u{17F}fer-Encoding: chunked\r\n",
    "a space before the colon": "Transfer-Encoding : chunked\r\n",
    "a tab before the colon": "Transfer-Encoding\t: chunked\r\n",
    "a space before the name": " Transfer-Encoding: chunked\r\n", "folded": "Transfer-Encoding:\r\n chunked\r\n",
    "folded into another field": "A: b\r\n Transfer-Encoding: chunked\r\n",
    "behind a bare LF": "A: b\nTransfer-Encoding: chunked\r\n",
    "behind a bare CR": "A: b\rTransfer-Encoding: chunked\r\n",
    "ended by LF": "Transfer-Encoding: chunked\n", "without a colon": "Transfer-Encoding chunked\r\n",
  ]
  private static let hosts = [
    "none": "", "two": "Host: a\r\nHost: a\r\n", "two, different": "Host: a\r\nHost: b\r\n", "a list": "Host: a, b\r\n",
    "a path": "Host: a/b\r\n", "a user": "Host: u@a\r\n", "a space": "Host: a b\r\n", "a query": "Host: a?b\r\n",
    "a space before the colon": "Host : a\r\n", "folded": "Host: a\r\n b\r\n", "no ASCII": "Host: \u{e4}\r\n",
  ]
  private static let lines = [
    "two spaces": "POST  / HTTP/1.1\r\n", "a tab": "POST\t/ HTTP/1.1\r\n", "a space behind": "POST / HTTP/1.1 \r\n",
    "no version": "POST /\r\n", "a space in the target": "POST /a b HTTP/1.1\r\n", "a bare CR": "POST /\rHTTP/1.1\r\n",
    "ended by LF": "POST / HTTP/1.1\n", "a NUL": "POST /\0 HTTP/1.1\r\n", "another protocol": "POST / HTTPS/1.1\r\n",
    "a small letter": "POST / http/1.1\r\n", "no ASCII in the target": "POST /\u{e9} HTTP/1.1\r\n",
    "an absolute target of another scheme": "POST ftp://a/ HTTP/1.1\r\n",
    "an absolute target without a host": "POST http:/// HTTP/1.1\r\n",
    "an absolute target with a user": "POST http://u@a/ HTTP/1.1\r\n",
    "a target that is no path": "POST a HTTP/1.1\r\n",
    "the target of OPTIONS": "POST * HTTP/1.1\r\n", "an empty line too many": "\r\n\r\nPOST / HTTP/1.1\r\n",
  ]
  private static let chunks = [
    "no size": "\r\n", "an extension without a size": ";a=b\r\nxxxxx\r\n0\r\n\r\n",
    "a sign": "+5\r\nxxxxx\r\n0\r\n\r\n",
    "negative": "-5\r\nxxxxx\r\n0\r\n\r\n", "a prefix": "0x5\r\nxxxxx\r\n0\r\n\r\n",
    "a space before": " 5\r\nxxxxx\r\n0\r\n\r\n",
    "a space behind": "5 \r\nxxxxx\r\n0\r\n\r\n", "a tab behind": "5\t\r\nxxxxx\r\n0\r\n\r\n", "no digit": "g\r\n",
    "16 digits": "FFFFFFFFFFFFFFFF\r\n", "zeros without end": "00000000000000005\r\nxxxxx\r\n0\r\n\r\n",
    "more than 64 bits": "10000000000000005\r\nxxxxx\r\n0\r\n\r\n", "ended by LF": "5\nxxxxx\r\n0\r\n\r\n",
    "ended by CR": "5\rxxxxx\r\n0\r\n\r\n", "data that is longer": "5\r\nxxxxxx\r\n0\r\n\r\n",
    "data that is ended by LF": "5\r\nxxxxx\n0\r\n\r\n",
    "data that is not ended": "5\r\nxxxxx0\r\n\r\n", "an extension with LF": "5;a\nb\r\nxxxxx\r\n0\r\n\r\n",
    "an extension with CR": "5;a\rb\r\nxxxxx\r\n0\r\n\r\n", "an extension with NUL": "5;a=\0\r\nxxxxx\r\n0\r\n\r\n",
    "a long extension": "5;\(String(repeating: "a", count: 300))\r\nxxxxx\r\n0\r\n\r\n",
    "the last one ended by LF": "0\n\n",
    "the end by LF": "0\r\n\n", "the end by CR": "0\r\n\rx",
    "a trailer with a space before the colon": "0\r\nA : b\r\n\r\n",
    "a trailer without a colon": "0\r\nA\r\n\r\n", "a folded trailer": "0\r\nA: b\r\n c\r\n\r\n",
    "a trailer with LF": "0\r\nA: b\n\r\n",
    "a trailer with CR": "0\r\nA: b\rc\r\n\r\n",
    "a request in place of trailers": "0\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
  ]

  /// One dialogue for each size of pieces.
  private func isRefused(_ name: String, _ text: String, calls: Int = 0) throws {
    for size in [1, 3, Int.max] {
      let dialogue = try HTTP1Dialogue(knowsVersion: true)
      try dialogue.say(text + Self.hidden, by: size)
      let heard = try dialogue.hear()
      #expect(heard.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(name), by \(size): \(heard)")
      #expect(heard.contains("connection: close\r\n"), "\(name)")
      #expect(heard.count(of: "HTTP/1.1 ") == 1, "\(name): \(heard)")
      #expect(dialogue.isClosed, "\(name)")
      #expect(dialogue.calls.count <= calls, "\(name)")
      #expect(!dialogue.calls.contains { $0.code == 0 || $0.path == "/hidden" }, "\(name)")
    }
  }

  @Test(arguments: lengths.sorted { $0.key < $1.key }) func aLengthThatIsNoneIsRefused(_ name: String, _ fields: String)
    throws
  {
    try isRefused(name, "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\nxxxxx")
  }

  @Test(arguments: codings.sorted { $0.key < $1.key }) func aCodingThatIsNotPlainlyChunkedIsRefused(
    _ name: String, _ fields: String
  ) throws {
    try isRefused(name, "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n5\r\nxxxxx\r\n0\r\n\r\n")
  }

  @Test(arguments: hosts.sorted { $0.key < $1.key }) func aHostThatIsNoneIsRefused(_ name: String, _ fields: String)
    throws
  {
    try isRefused(name, "POST / HTTP/1.1\r\n\(fields)Content-Length: 0\r\n\r\n")
  }

  @Test(arguments: lines.sorted { $0.key < $1.key }) func aRequestLineThatIsNoneIsRefused(
    _ name: String, _ line: String
  ) throws {
    try isRefused(name, "\(line)Host: a\r\nContent-Length: 0\r\n\r\n")
  }

  @Test(arguments: chunks.sorted { $0.key < $1.key }) func aChunkThatIsNoneIsRefused(_ name: String, _ body: String)
    throws
  {
    try isRefused(name, HTTP1Text.chunked("/") + body, calls: 1)
  }

  /// What a trailer says of the framing, of where the request goes or of who sends it has no meaning (RFC 9110 §6.5.1).
  @Test(arguments: ["Host: b", "Authorization: x", "Content-Type: x", "Expect: x"], [true, false])
  func aTrailerDoesNotSayHowTheRequestIsToBeRead(_ field: String, _ isFirst: Bool) throws {
    let dialogue = try HTTP1Dialogue()
    let trailers = isFirst ? "\(field)\r\nA: y" : "A: y\r\n\(field)"
    try dialogue.say(HTTP1Text.chunked("/1") + HTTP1Text.chunk(5) + "0\r\n\(trailers)\r\n\r\n" + HTTP1Text.get("/2"))
    let heard = try dialogue.hear()
    #expect(heard.contains("/1 5"))
    #expect(heard.hasSuffix("/2 0"))
    #expect(dialogue.calls.allSatisfy { call in call.fields.allSatisfy { $0.value != "b" && $0.value != "x" } })
  }

  @Test(arguments: [
    "Content-Length: 5", "Content-Length: 0", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip", ":path: /hidden",
  ])
  func aTrailerOfTheFramingIsRefused(_ field: String) throws {
    try isRefused(field, HTTP1Text.chunked("/1") + HTTP1Text.chunk(5) + "0\r\n\(field)\r\n\r\n", calls: 1)
  }

  /// A request that is not read has to be announced: NIO's decoder heeds the fields of the connection, too.
  @Test(
    arguments: [
      "Connection: close", "Connection: Close", "Connection: x, close", "Connection: close,x", "Connection:close \t",
      "Connection: closed", "Connection: close;x", "Connection: close\r\nConnection: keep-alive",
      "Connection: keep-alive\r\nConnection: close", "Connection: keep-alive, close", "Connection: ,close,",
      "Connection:",
      "Proxy-Connection: close", "Proxy-Connection: x, close", "Proxy-Connection: keep-alive", "Connection: upgrade",
      "Connection: upgrade\r\nUpgrade: h2c", "Upgrade: websocket", "Upgrade: x\r\nConnection: x, Upgrade",
      "Connection: keep-alive", "Keep-Alive: timeout=0", "Connection: \"close\"", "Connection: clo se",
    ], [HTTP1Text.get("/1"), HTTP1Text.post("/1", 3), HTTP1Text.chunked("/1") + HTTP1Text.chunk(3) + "0\r\n\r\n"])
  func theNextRequestIsAnsweredOrTheAnswerSaysThatThereIsNone(_ fields: String, _ request: String) throws {
    for version in ["1.1", "1.0"] where version == "1.1" || !request.contains("chunked") {
      for isTrailer in [false, true] where request.contains("chunked") || !isTrailer {
        let dialogue = try HTTP1Dialogue()
        var parts = request.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        parts.insert(fields, at: isTrailer ? parts.count - 2 : 1)
        parts[0] = parts[0].replacing("HTTP/1.1", with: "HTTP/\(version)")
        try dialogue.say(parts.joined(separator: "\r\n") + HTTP1Text.get("/2"))
        let heard = try dialogue.hear()
        let goesOn = !heard.contains("connection: close")
        #expect(heard.count(of: "HTTP/1.1 200 OK") == (goesOn ? 2 : 1), "\(heard)")
        #expect(heard.count(of: "HTTP/1.1 ") == (goesOn ? 2 : 1), "\(heard)")
        #expect(dialogue.isClosed != goesOn)
      }
    }
  }

  @Test(arguments: [
    ("5;a=b;c=\"d\"\r\nxxxxx\r\n0;e\r\n\r\n", 5), ("00000005\r\nxxxxx\r\n000\r\n\r\n", 5),
    ("a\r\nxxxxxxxxxx\r\n0\r\n\r\n", 10),
    ("A\r\nxxxxxxxxxx\r\n0\r\nX: y\r\nZ:\r\n\r\n", 10),
  ])
  func whatEverybodyReadsAlikeIsTaken(_ body: String, _ count: Int) throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(HTTP1Text.chunked("/1") + body + HTTP1Text.get("/2"))
    let heard = try dialogue.hear()
    #expect(heard.contains("/1 \(count)"))
    #expect(heard.hasSuffix("/2 0"))
  }

  @Test(arguments: [
    ("http://b/x?y", "b", "/x?y"), ("HTTP://b:1", "b:1", "/"), ("https://[::1]:1?q", "[::1]:1", "/?q"),
    ("/http://b/", "a", "/http://b/"),
  ])
  func anAbsoluteTargetTakesThePlaceOfHost(_ target: String, _ authority: String, _ path: String) throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(HTTP1Text.get(target))
    #expect(dialogue.calls.first?.field(":authority") == authority)
    #expect(dialogue.calls.first?.path == path)
    #expect(dialogue.calls.first?.field("host") == nil)
  }

  @Test func fieldsOfTheConnectionAreNotHandedOn() throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(
      HTTP1Text.get(
        "/1",
        "Connection: X, Keep-Alive\r\nKeep-Alive: 5\r\nProxy-Connection: y\r\nUpgrade: h2c\r\nHTTP2-Settings: z\r\nTE: trailers\r\nB: c\r\n"
      ))
    let names = dialogue.calls.first?.fields.map(\.name) ?? []
    #expect(names == [":method", ":path", ":scheme", ":authority", "te", "b"])
    // What may be another protocol is not read as HTTP/1.1.
    #expect(try dialogue.hear().contains("connection: close\r\n"))
  }
}
