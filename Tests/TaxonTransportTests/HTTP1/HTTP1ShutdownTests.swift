// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Testing

@testable import TaxonTransport

/// A shutdown, whatever the connection is about to do.
struct HTTP1ShutdownTests {
  private static let close = "connection: close\r\n"

  @Test func aConnectionWithoutARequestMayStillBringOneForASecond() throws {
    for comes in [true, false] {
      let dialogue = try HTTP1Dialogue(knowsVersion: true)
      dialogue.connection.beginShutdown()
      dialogue.wait(.milliseconds(999))
      #expect(!dialogue.isClosed)
      if comes {
        try dialogue.say(HTTP1Text.get("/1") + HTTP1Text.get("/2"))
        let heard = try dialogue.hear()
        #expect(heard.contains(Self.close))
        #expect(heard.hasSuffix("/1 0"))
      }
      dialogue.wait(.milliseconds(1))
      #expect(dialogue.isClosed)
      #expect(try dialogue.hear() == "")
    }
  }

  @Test func anIdleConnectionIsClosedAtOnce() throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(HTTP1Text.get("/1"))
    #expect(try !dialogue.hear().contains(Self.close))
    dialogue.connection.beginShutdown()
    dialogue.run()
    #expect(dialogue.isClosed)
    #expect(try dialogue.hear() == "")
  }

  @Test(arguments: [true, false]) func aHeadThatHasBegunIsAnsweredIfItEndsSoon(_ isFirst: Bool) throws {
    let dialogue = try HTTP1Dialogue()
    if !isFirst {
      try dialogue.say(HTTP1Text.get("/0"))
      _ = try dialogue.hear()
    }
    let head = Array(HTTP1Text.get("/1").utf8)
    try dialogue.say(Array(head.dropLast(3)))
    dialogue.connection.beginShutdown()
    dialogue.wait(.milliseconds(999))
    #expect(!dialogue.isClosed)
    try dialogue.say(Array(head.suffix(3)))
    let heard = try dialogue.hear()
    #expect(heard.contains(Self.close))
    #expect(heard.hasSuffix("/1 0"))
    #expect(dialogue.isClosed)
  }

  @Test func aRequestWhoseBodyComesIsAnswered() throws {
    let dialogue = try HTTP1Dialogue()
    try dialogue.say(HTTP1Text.post("/1", 100, sent: 10))
    dialogue.connection.beginShutdown()
    dialogue.wait(.seconds(5))
    #expect(!dialogue.isClosed)
    try dialogue.say(String(repeating: "x", count: 90) + HTTP1Text.get("/2"))
    let heard = try dialogue.hear()
    #expect(heard.contains(Self.close))
    #expect(heard.hasSuffix("/1 100"))
    #expect(dialogue.isClosed)
    #expect(dialogue.calls.count == 1)
  }

  @Test(arguments: [true, false]) func aCallThatRunsIsAnswered(_ hasHead: Bool) throws {
    let dialogue = try HTTP1Dialogue { _, _ in }
    try dialogue.say(HTTP1Text.get("/1") + HTTP1Text.get("/2"))
    let call = dialogue.calls[0]
    if hasHead {
      call.sendHead()
      #expect(try !dialogue.hear().contains(Self.close))
    }
    dialogue.connection.beginShutdown()
    dialogue.wait(.hours(1))
    #expect(!dialogue.isClosed)
    if hasHead {
      call.send("end")
      call.exchange.finish(trailers: nil)
      #expect(try dialogue.hear().hasSuffix("end\r\n0\r\n\r\n"))
    } else {
      call.answer("end")
      let heard = try dialogue.hear()
      #expect(heard.contains(Self.close))
      #expect(heard.hasSuffix("end"))
    }
    #expect(dialogue.isClosed)
    #expect(call.code == 0)
    #expect(dialogue.calls.count == 1)
  }

  @Test func anAnswerThatWaitsForTheEndOfItsRequestIsSent() throws {
    let dialogue = try HTTP1Dialogue(script: HTTP1Dialogue.answersHeads)
    try dialogue.say(HTTP1Text.chunked("/1"))
    dialogue.connection.beginShutdown()
    let heard = try dialogue.hear()
    #expect(heard.contains(Self.close))
    #expect(heard.hasSuffix("/1 early"))
    #expect(dialogue.isClosed)
  }

  @Test func anAnswerThatTheClientTakesSlowlyIsSent() throws {
    let dialogue = try HTTP1Dialogue { call, step in
      if step == .end { call.answer(String(repeating: "y", count: 1 << 20)) }
    }
    dialogue.setWritable(false)
    try dialogue.say(HTTP1Text.get("/1"))
    dialogue.connection.beginShutdown()
    dialogue.wait(.hours(1))
    #expect(!dialogue.isClosed)
    dialogue.setWritable(true)
    #expect(try dialogue.hear().count(of: "y") == 1 << 20)
    #expect(dialogue.isClosed)
  }
}
