// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import TaxonTransport

/// Requests and answers of HTTP/1.1, word by word.
struct HTTP1DialogueTests {
  private static let ok = "HTTP/1.1 200 OK\r\n"
  private static let several =
    HTTP1Text.get("/1") + HTTP1Text.post("/2", 300) + HTTP1Text.chunked("/3") + HTTP1Text.chunk(20)
    + HTTP1Text.chunk(300)
    + "0\r\nX-Trailer: y\r\n\r\n" + "\r\n" + HTTP1Text.post("/4", 0) + HTTP1Text.get("/5", "Connection: close\r\n")

  @Test(arguments: [1, 2, 3, 5, 7, 16, 100, 333, 1000, .max], [true, false])
  func requestsAreReadInWhateverPiecesTheyCome(_ size: Int, _ sharesTurns: Bool) throws {
    let dialogue = try HTTP1Dialogue(sharesTurns: sharesTurns)
    try dialogue.say(Self.several, by: size)
    let answers = ["/1 0", "/2 300", "/3 320", "/4 0"].map { "\(Self.ok)content-length: \($0.utf8.count)\r\n\r\n\($0)" }
    #expect(
      try dialogue.hear() == answers.joined() + "\(Self.ok)content-length: 4\r\nconnection: close\r\n\r\n/5 0")
    #expect(dialogue.isClosed)
    #expect(dialogue.failure == nil)
    #expect(dialogue.calls.count == 5)
    #expect(dialogue.calls.allSatisfy { $0.code == 0 && $0.exchange.unconsumed == 0 })
    #expect(dialogue.connection.outboundCount == 0)
  }

  @Test func requestsAreCutAnywhere() throws {
    let text = Array(Self.several.utf8)
    for place in text.indices {
      let dialogue = try HTTP1Dialogue(sharesTurns: place % 2 == 0)
      try dialogue.say(Array(text[..<place]))
      try dialogue.say(Array(text[place...]))
      #expect(try dialogue.hear().count(of: Self.ok) == 5)
      #expect(dialogue.isClosed)
    }
  }

  @Test func aRequestWaitsForTheAnswerBeforeIt() throws {
    let dialogue = try HTTP1Dialogue { _, _ in }
    try dialogue.say((1...3).map { HTTP1Text.post("/\($0)", 10 * $0) }.joined())
    for number in 1...3 {
      #expect(dialogue.calls.count == number)
      #expect(try dialogue.hear() == "")
      #expect(dialogue.calls[number - 1].body.count == 10 * number)
      dialogue.calls[number - 1].answer("\(number)")
      #expect(try dialogue.hear() == "\(Self.ok)content-length: 1\r\n\r\n\(number)")
    }
    #expect(!dialogue.isClosed)
  }

  @Test func anAnswerInPartsComesInChunks() throws {
    let dialogue = try HTTP1Dialogue { _, _ in }
    try dialogue.say(HTTP1Text.get("/1") + HTTP1Text.get("/2"))
    let call = dialogue.calls[0]
    call.sendHead([.init("a", "b")])
    #expect(try dialogue.hear() == "\(Self.ok)a: b\r\ntransfer-encoding: chunked\r\n\r\n")
    call.send("one")
    call.send("two")
    #expect(try dialogue.hear() == "6\r\nonetwo\r\n")
    call.send(String(repeating: "z", count: 17))
    call.exchange.finish(trailers: HeaderBlock([.init("t", "u")]))
    #expect(try dialogue.hear() == "11\r\nzzzzzzzzzzzzzzzzz\r\n0\r\nt: u\r\n\r\n")
    #expect(dialogue.calls.count == 2)
  }

  @Test func trailersMakeChunksOfAnAnswerThatIsComplete() throws {
    let dialogue = try HTTP1Dialogue { call, step in
      if step == .end { call.answer("x", trailers: [.init("t", "u")]) }
    }
    try dialogue.say(HTTP1Text.get("/"))
    #expect(try dialogue.hear() == "\(Self.ok)transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nt: u\r\n\r\n")
  }

  @Test func whatWouldEndALineDoesNot() throws {
    let dialogue = try HTTP1Dialogue { call, step in
      guard step == .end else { return }
      call.sendHead([.init("a", "b\r\nSet-Cookie: c\n\u{0}d")])
      call.exchange.finish(trailers: HeaderBlock([.init("t", "u\r\nv")]))
    }
    try dialogue.say(HTTP1Text.get("/"))
    let heard = try dialogue.hear()
    #expect(heard.contains("\r\na: b  Set-Cookie: c  d\r\n"))
    #expect(heard.hasSuffix("\r\nt: u  v\r\n\r\n"))
  }

  // MARK: HEAD, HTTP/1.0

  @Test func anAnswerToHEADHasTheLengthAndNoBody() throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say("HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n" + HTTP1Text.get("/2"))
    #expect(
      try dialogue.hear() == "\(Self.ok)content-length: 4\r\n\r\n\(Self.ok)content-length: 4\r\n\r\n/2 0")
    #expect(!dialogue.isClosed)
  }

  @Test(arguments: [true, false]) func aRefusalOfHEADHasNoBody(_ isHandedOn: Bool) throws {
    let dialogue = try HTTP1Dialogue { call, _ in call.exchange.reset(.cancel) }
    try dialogue.say(isHandedOn ? "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" : "HEAD / HTTP/1.1\r\n\r\n")
    let answer = try dialogue.hear()
    #expect(answer.hasPrefix("HTTP/1.1 \(isHandedOn ? 500 : 400) "))
    #expect(answer.contains("content-length: ") && answer.hasSuffix("\r\n\r\n"))
    #expect(dialogue.isClosed)
  }

  @Test func whiteSpaceAroundAValueIsNoneOfIt() throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(
      "POST / HTTP/1.1\r\nHost: a \t\r\nContent-Length: 2 \r\nX-Y: \t z  z \t \r\nX-Empty: \t\r\nExpect: 100-continue \r\n\r\nab"
    )
    let call = try #require(dialogue.calls.first)
    #expect(call.field(":authority") == "a")
    #expect(call.field("x-y") == "z  z")
    #expect(call.field("x-empty") == "")
    #expect(call.body == Array("ab".utf8))
    #expect(try dialogue.hear().hasPrefix(Self.ok))
    try dialogue.say("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked \r\n\r\n0\r\n\r\n")
    #expect(dialogue.calls.last?.hasEnded == true)
  }

  @Test(arguments: [204, 304]) func aStatusWithoutBodyHasNone(_ status: Int) throws {
    let dialogue = try HTTP1Dialogue { call, step in
      if step == .end { call.answer(call.path == "/1" ? "x" : "y", status: call.path == "/1" ? status : 200) }
    }
    try dialogue.say(HTTP1Text.get("/1") + HTTP1Text.get("/2"))
    let heard = try dialogue.hear()
    #expect(heard.hasPrefix("HTTP/1.1 \(status) "))
    #expect(heard.hasSuffix("\r\n\r\n\(Self.ok)content-length: 1\r\n\r\ny"))
    #expect(!heard.contains("x"))
  }

  @Test(arguments: [true, false]) func theOldVersionEndsUnlessItAsksToGoOn(_ keepsAlive: Bool) throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say("POST /1 HTTP/1.0\r\n\(keepsAlive ? "Connection: Keep-Alive\r\n" : "")Content-Length: 2\r\n\r\nxx")
    #expect(
      try dialogue.hear()
        == "\(Self.ok)content-length: 4\r\nconnection: \(keepsAlive ? "keep-alive" : "close")\r\n\r\n/1 2")
    #expect(dialogue.isClosed != keepsAlive)
    #expect(dialogue.calls[0].field(":authority") == nil)
  }

  @Test func aLongAnswerToTheOldVersionEndsWithTheConnection() throws {
    let dialogue = try HTTP1Dialogue { _, _ in }
    try dialogue.say("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    let call = dialogue.calls[0]
    call.sendHead()
    call.send("one")
    #expect(try dialogue.hear() == "\(Self.ok)connection: close\r\n\r\none")
    call.send("two")
    call.exchange.finish(trailers: HeaderBlock([.init("t", "u")]))
    #expect(try dialogue.hear() == "two")
    #expect(dialogue.isClosed)
  }

  @Test func theOldVersionHasNoChunksAndNoExpectations() throws {
    let chunked = try HTTP1Dialogue()
    try chunked.say("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")
    #expect(try chunked.hear().hasPrefix("HTTP/1.1 400 "))
    let expecting = try HTTP1Dialogue()
    try expecting.say("POST /1 HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    #expect(try expecting.hear() == "")
    try expecting.say("xx")
    #expect(try expecting.hear().hasSuffix("/1 2"))
  }

  // MARK: Expect

  @Test(arguments: ["100-continue", "100-Continue"], [true, false])
  func aClientThatWaitsIsToldToGoOn(_ value: String, _ isChunked: Bool) throws {
    let dialogue = try HTTP1Dialogue()
    let fields = "Expect: \(value)\r\n"
    try dialogue.say(isChunked ? HTTP1Text.chunked("/1", fields) : HTTP1Text.post("/1", 10, sent: 0, fields))
    #expect(try dialogue.hear() == "HTTP/1.1 100 Continue\r\n\r\n")
    try dialogue.say(isChunked ? HTTP1Text.chunk(10) + HTTP1Text.lastChunk : "xxxxxxxxxx")
    #expect(try dialogue.hear() == "\(Self.ok)content-length: 5\r\n\r\n/1 10")
    #expect(dialogue.calls[0].field("expect") == nil)
    try dialogue.say(HTTP1Text.get("/2"))
    #expect(try dialogue.hear().hasSuffix("/2 0"))
  }

  @Test func aClientThatDoesNotWaitIsNotTold() throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(
      HTTP1Text.post("/1", 10, "Expect: 100-continue\r\n") + HTTP1Text.get("/2", "Expect: 100-continue\r\n"))
    let heard = try dialogue.hear()
    #expect(!heard.contains("100 Continue"))
    #expect(heard.count(of: Self.ok) == 2)
  }

  @Test func anAnswerThatSaysCloseIsTheLastOne() throws {
    let dialogue = try HTTP1Dialogue { call, step in
      if step == .head { call.sendHead() }
      if step == .end { call.exchange.finish(trailers: nil) }
    }
    try dialogue.say(HTTP1Text.post("/1", 3, "Expect: 100-continue\r\n") + HTTP1Text.get("/2"))
    #expect(try dialogue.hear().contains("connection: close\r\n"))
    #expect(dialogue.calls.count == 1)
    #expect(dialogue.isClosed)
  }

  @Test(arguments: [true, false]) func aClientThatWaitsForNothingMayNotSendItsBody(_ isChunked: Bool) throws {
    let dialogue = try HTTP1Dialogue(script: HTTP1Dialogue.answersHeads)
    let fields = "Expect: 100-continue\r\n"
    try dialogue.say(isChunked ? HTTP1Text.chunked("/1", fields) : HTTP1Text.post("/1", 10, sent: 0, fields))
    #expect(
      try dialogue.hear() == "\(Self.ok)content-length: 8\r\nconnection: close\r\n\r\n/1 early")
    #expect(dialogue.isClosed)
  }

  @Test(arguments: ["101-continue", "100-continue, more", "", "100-continue;q=1"])
  func otherExpectationsAreNotMet(_ value: String) throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(HTTP1Text.post("/1", 10, "Expect: \(value)\r\n"))
    #expect(try dialogue.hear().hasPrefix("HTTP/1.1 417 Expectation Failed\r\n"))
    #expect(dialogue.isClosed)
    #expect(dialogue.calls.isEmpty)
  }

  // MARK: The end

  @Test func aCallThatEndsItsExchangeEndsTheConnection() throws {
    for hasHead in [true, false] {
      let dialogue = try HTTP1Dialogue { _, _ in }
      try dialogue.say(HTTP1Text.get("/1") + HTTP1Text.get("/2"))
      let call = dialogue.calls[0]
      if hasHead {
        call.sendHead()
        _ = try dialogue.hear()
      }
      call.exchange.reset(.internalError)
      let heard = try dialogue.hear()
      // What has begun cannot be taken back: the client sees that it does not end.
      #expect(hasHead ? heard == "" : heard.hasPrefix("HTTP/1.1 500 "))
      #expect(dialogue.isClosed)
      #expect(call.code == HTTP2ErrorCode.internalError.rawValue)
      #expect(dialogue.calls.count == 1)
    }
  }

  @Test func aConnectionHasAsManyCallsAsItMayHave() throws {
    let dialogue = try HTTP1Dialogue()
    dialogue.maxCalls = 1
    try dialogue.say(HTTP1Text.get("/1") + HTTP1Text.get("/2"))
    #expect(try dialogue.hear().contains("/1 0HTTP/1.1 503 Service Unavailable\r\n"))
    #expect(dialogue.isClosed)
  }

  @Test(arguments: [0, 5, 40, 70]) func aClientThatGoesAwayEndsItsCall(_ place: Int) throws {
    let dialogue = try HTTP1Dialogue { _, _ in }
    let text = Array(HTTP1Text.post("/1", 20).utf8)
    try dialogue.say(Array(text[..<min(place, text.count)]))
    try dialogue.channel.close().wait()
    #expect(dialogue.isOver)
    #expect(dialogue.calls.allSatisfy { $0.code == HTTP2ErrorCode.cancel.rawValue })
    #expect(try dialogue.hear() == "")
  }
}
