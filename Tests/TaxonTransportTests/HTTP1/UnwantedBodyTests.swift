// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import TaxonTransport

/// What becomes of the rest of a request that is answered before it has ended. A client that is not told that the connection ends
/// sends its next request behind that rest: it must be answered.
struct UnwantedBodyTests {
  private static let close = "connection: close\r\n"
  private static let limit = 64 * 1024

  @Test(
    arguments: [0, 1, 1000, limit - 1, limit, limit + 1, 3 * limit, 20 * limit], [1000, 4096, limit, .max])
  func theNextCallIsAnsweredOrTheAnswerSaysThatThereIsNone(_ rest: Int, _ size: Int) throws {
    for isChunked in [true, false] {
      let dialogue = try HTTP1Dialogue(script: HTTP1Dialogue.answersHeads)
      if isChunked {
        try dialogue.say(HTTP1Text.chunked("/1"))
        try dialogue.say(rest > 0 ? HTTP1Text.chunk(rest) : "", by: size)
        try dialogue.say(HTTP1Text.lastChunk + HTTP1Text.get("/2"))
      } else {
        try dialogue.say(HTTP1Text.post("/1", rest) + HTTP1Text.get("/2"), by: size)
      }
      let heard = try dialogue.hear()
      #expect(heard.contains("/1 early"))
      #expect(heard.contains("/2 early") == !heard.contains(Self.close))
      #expect(heard.contains(Self.close) == dialogue.isClosed)
      #expect(dialogue.isClosed == (isChunked ? rest >= Self.limit : rest > Self.limit))
      #expect(dialogue.calls.allSatisfy { $0.code == 0 })
    }
  }

  @Test func anAnswerWaitsForTheEndOfChunks() throws {
    let dialogue = try HTTP1Dialogue(script: HTTP1Dialogue.answersHeads)
    try dialogue.say(HTTP1Text.chunked("/1") + HTTP1Text.chunk(10))
    #expect(try dialogue.hear() == "")
    #expect(dialogue.calls.first?.code == nil)
    dialogue.wait(.milliseconds(40))
    try dialogue.say(HTTP1Text.chunk(10))
    #expect(try dialogue.hear() == "")
    try dialogue.say(HTTP1Text.lastChunk)
    #expect(try dialogue.hear() == "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n/1 early")
    dialogue.wait(.seconds(60))
    #expect(!dialogue.isClosed)
  }

  @Test func anAnswerDoesNotWaitForLong() throws {
    let dialogue = try HTTP1Dialogue(script: HTTP1Dialogue.answersHeads)
    try dialogue.say(HTTP1Text.chunked("/1") + HTTP1Text.chunk(10))
    dialogue.wait(.milliseconds(50))
    #expect(
      try dialogue.hear() == "HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\n/1 early")
    #expect(dialogue.isClosed)
    #expect(dialogue.failure == nil)
  }

  @Test func anAnswerThatHasBegunWaitsToo() throws {
    let dialogue = try HTTP1Dialogue { call, step in
      guard step == .head else { return }
      call.sendHead()
      call.send("begun")
    }
    try dialogue.say(HTTP1Text.chunked("/1"))
    #expect(try dialogue.hear().hasSuffix("transfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n"))
    dialogue.calls[0].exchange.finish(trailers: nil)
    #expect(try dialogue.hear() == "")
    try dialogue.say(HTTP1Text.chunk(10) + HTTP1Text.lastChunk)
    #expect(try dialogue.hear() == HTTP1Text.lastChunk)
    #expect(!dialogue.isClosed)
  }

  /// The second is malformed for the decoder alone, which sees it together with the end of the body.
  @Test(arguments: ["chunk\r\n", "5;a=\u{8c}\r\nhello\r\n" + HTTP1Text.lastChunk])
  func anAnswerIsNotLostForARestThatIsMalformed(_ rest: String) throws {
    let dialogue = try HTTP1Dialogue(script: HTTP1Dialogue.answersHeads)
    try dialogue.say(HTTP1Text.chunked("/1"))
    try dialogue.say(rest)
    #expect(
      try dialogue.hear() == "HTTP/1.1 200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\n/1 early")
    #expect(dialogue.isClosed)
    #expect(dialogue.connection.fault?.status == 400)
  }

  @Test func aRestOfKnownLengthMayComeLaterButNotMuchLater() throws {
    for isLate in [false, true] {
      let dialogue = try HTTP1Dialogue(script: HTTP1Dialogue.answersHeads)
      try dialogue.say(HTTP1Text.post("/1", 1000, sent: 10))
      #expect(try dialogue.hear() == "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n/1 early")
      dialogue.wait(.milliseconds(4999))
      #expect(!dialogue.isClosed)
      if isLate {
        dialogue.wait(.milliseconds(1))
        #expect(dialogue.isClosed)
        #expect(try dialogue.hear() == "")
      } else {
        try dialogue.say(String(repeating: "x", count: 990) + HTTP1Text.get("/2"))
        #expect(try dialogue.hear().hasSuffix("/2 early"))
        dialogue.wait(.seconds(60))
        #expect(!dialogue.isClosed)
      }
    }
  }

  @Test func theRestMayComeWhileAClientReadsSlowly() throws {
    let dialogue = try HTTP1Dialogue(script: HTTP1Dialogue.answersHeads)
    try dialogue.say(HTTP1Text.get("/0"))
    _ = try dialogue.hear()
    dialogue.setWritable(false)
    try dialogue.say(HTTP1Text.post("/1", 1000, sent: 10))
    dialogue.wait(.seconds(60))
    #expect(try dialogue.hear() == "")
    dialogue.setWritable(true)
    #expect(try dialogue.hear() == "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n/1 early")
    try dialogue.say(String(repeating: "x", count: 990) + HTTP1Text.get("/2"))
    #expect(try dialogue.hear().hasSuffix("/2 early"))
  }

  @Test(arguments: [true, false]) func whoSendsManyUnwantedBodiesLosesTheConnection(_ isChunked: Bool) throws {
    let dialogue = try HTTP1Dialogue(
      .with { $0.unreadBodies = .init(burst: 2, perSecond: 0) }, script: HTTP1Dialogue.answersHeads)
    for number in 1...3 {
      try dialogue.say(isChunked ? HTTP1Text.chunked("/\(number)") : HTTP1Text.post("/\(number)", 10, sent: 0))
      if number < 3 { try dialogue.say(isChunked ? HTTP1Text.lastChunk : "xxxxxxxxxx") }
      let heard = try dialogue.hear()
      #expect(heard.hasSuffix("/\(number) early"))
      #expect(heard.contains(Self.close) == (number == 3))
    }
    #expect(dialogue.isClosed)
    #expect(dialogue.connection.fault?.limit == "too_many_unread_bodies")
  }
}
