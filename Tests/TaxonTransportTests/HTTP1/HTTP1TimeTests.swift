// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import TaxonTransport

/// Clients that are slow, by a clock that the test moves.
struct HTTP1TimeTests {
  private static let late = "HTTP/1.1 408 Request Timeout\r\n"

  @Test(arguments: ["POST /", "GET / HTTP/1.1\r\nHost: a\r\n", "\r\n"]) func aHeadHasToEndInTime(_ start: String) throws
  {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(start)
    for _ in 0..<9 {
      dialogue.wait(.seconds(1))
      try dialogue.say(start.hasSuffix("\n") && start.count > 2 ? "X: y\r\n" : start.count > 2 ? "a" : "")
    }
    #expect(try dialogue.hear() == "")
    #expect(!dialogue.isClosed)
    dialogue.wait(.seconds(1))
    #expect(try dialogue.hear().hasPrefix(Self.late))
    #expect(dialogue.isClosed)
    #expect(dialogue.connection.fault?.limit == "slow_head")
    #expect(dialogue.calls.isEmpty)
  }

  @Test func theNextHeadHasItsOwnTime() throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(HTTP1Text.get("/1"))
    _ = try dialogue.hear()
    // When the connection has been idle for too long is its owner's matter.
    dialogue.wait(.hours(1))
    #expect(!dialogue.isClosed)
    try dialogue.say("GET")
    dialogue.wait(.milliseconds(9999))
    #expect(!dialogue.isClosed)
    try dialogue.say(" /2 HTTP/1.1\r\nHost: a\r\n\r\nGET")
    #expect(try dialogue.hear().hasSuffix("/2 0"))
    dialogue.wait(.milliseconds(9999))
    #expect(!dialogue.isClosed)
    dialogue.wait(.milliseconds(1))
    #expect(try dialogue.hear().hasPrefix(Self.late))
  }

  @Test func aHeadThatWaitsForItsTurnIsNotLate() throws {
    let dialogue = try HTTP1Dialogue { _, _ in }
    try dialogue.say(HTTP1Text.get("/1") + "GET ")
    dialogue.wait(.hours(1))
    #expect(!dialogue.isClosed)
    dialogue.calls[0].answer("1")
    #expect(try dialogue.hear().hasSuffix("\r\n\r\n1"))
    dialogue.wait(.seconds(9))
    #expect(!dialogue.isClosed)
    dialogue.wait(.seconds(1))
    #expect(try dialogue.hear().hasPrefix(Self.late))
  }

  @Test(arguments: [true, false]) func aBodyHasToCome(_ isChunked: Bool) throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(isChunked ? HTTP1Text.chunked("/") : HTTP1Text.post("/", 100, sent: 0))
    dialogue.wait(.seconds(19))
    try dialogue.say(isChunked ? HTTP1Text.chunk(1) : "x")
    #expect(!dialogue.isClosed)
    // On average, too.
    dialogue.wait(.seconds(1))
    #expect(try dialogue.hear().hasPrefix(Self.late))
    #expect(dialogue.isClosed)
    #expect(dialogue.connection.fault?.limit == "slow_body")
    #expect(dialogue.calls[0].code == HTTP2ErrorCode.cancel.rawValue)
  }

  @Test func aBodyThatComesFastEnoughMayTakeLong() throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(HTTP1Text.post("/", 60_000, sent: 0))
    for _ in 0..<100 {
      dialogue.wait(.seconds(1))
      try dialogue.say(String(repeating: "x", count: 600))
    }
    #expect(try dialogue.hear().hasSuffix("/ 60000"))
  }

  @Test func aStreamMayPause() throws {
    let dialogue = try HTTP1Dialogue { call, step in
      call.mayPause = true
      HTTP1Dialogue.echo(call, step)
    }
    try dialogue.say(HTTP1Text.chunked("/"))
    for _ in 0..<3 {
      dialogue.wait(.hours(1))
      try dialogue.say(HTTP1Text.chunk(1))
    }
    // Inside a message it may not.
    dialogue.calls[0].mayPause = false
    try dialogue.say("1\r\n")
    dialogue.wait(.seconds(20))
    #expect(try dialogue.hear().hasPrefix(Self.late))
  }

  @Test func aConnectionOnWhichNothingComesIsClosedWithoutAWord() throws {
    let dialogue = try HTTP1Dialogue(knowsVersion: true)
    dialogue.wait(.milliseconds(9999))
    #expect(!dialogue.isClosed)
    dialogue.wait(.milliseconds(1))
    #expect(dialogue.isClosed)
    #expect(try dialogue.hear() == "")
    #expect(dialogue.connection.fault == nil)
  }

  @Test func smallChunksAreCounted() throws {
    let dialogue = try HTTP1Dialogue(.with { $0.smallChunks = .init(burst: 10, perSecond: 1) })
    try dialogue.say(HTTP1Text.chunked("/"))
    for _ in 0..<10 { try dialogue.say(HTTP1Text.chunk(1)) }
    // They come back with time, and with chunks that are worth it.
    dialogue.wait(.seconds(1))
    try dialogue.say(HTTP1Text.chunk(255))
    try dialogue.say(HTTP1Text.chunk(256))
    for _ in 0..<4 { try dialogue.say(HTTP1Text.chunk(1)) }
    #expect(!dialogue.isClosed)
    try dialogue.say(HTTP1Text.chunk(1))
    #expect(try dialogue.hear().hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    #expect(dialogue.isClosed)
    #expect(dialogue.connection.fault?.limit == "too_many_small_chunks")
  }

  @Test func aChunkThatCompletesAMessageIsNotTooSmall() throws {
    let dialogue = try HTTP1Dialogue(.with { $0.smallChunks = .init(burst: 10, perSecond: 0) }) { call, step in
      if step == .body { call.exchange.completedMessage() }
      HTTP1Dialogue.echo(call, step)
    }
    try dialogue.say(HTTP1Text.chunked("/"))
    for _ in 0..<1000 { try dialogue.say(HTTP1Text.chunk(1)) }
    try dialogue.say(HTTP1Text.lastChunk)
    #expect(try dialogue.hear().hasSuffix("/ 1000"))
  }
}
