// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import Testing

@testable import TaxonTransport

/// That a side which is slow stops the other one.
struct HTTP1BackPressureTests {
  @Test func aClientThatReadsSlowlyStopsTheAnswer() throws {
    let total = 4 << 20
    var sent = 0
    let part = String(repeating: "y", count: 16 * 1024)
    let dialogue = try HTTP1Dialogue { call, step in
      guard step == .end else { return }
      let fill = {
        while call.exchange.isWritable, sent < total {
          call.send(part)
          sent += part.utf8.count
        }
        if sent < total { call.exchange.notifyWhenWritable() } else { call.exchange.finish(trailers: nil) }
      }
      call.whenWritable = fill
      call.sendHead()
      fill()
    }
    dialogue.setWritable(false)
    try dialogue.say(HTTP1Text.get("/"))
    #expect(sent < 512 * 1024)
    #expect(try dialogue.hear() == "")
    var (read, most) = (0, 0)
    while sent < total {
      let part = try dialogue.readOnce()
      guard !part.isEmpty else { break }
      read += part.utf8.count
      most = max(most, sent - read)
    }
    #expect(most < 512 * 1024)
    dialogue.setWritable(true)
    #expect(try read + dialogue.hear().utf8.count > total)
    #expect(!dialogue.isClosed)
  }

  @Test(arguments: [true, false]) func aCallThatReadsSlowlyStopsItsClient(_ isChunked: Bool) throws {
    let window = 256 * 1024
    let dialogue = try HTTP1Dialogue { call, step in
      call.consumes = false
      HTTP1Dialogue.echo(call, step)
    }
    let total = 1 << 20
    try dialogue.say(isChunked ? HTTP1Text.chunked("/") : HTTP1Text.post("/", total, sent: 0))
    #expect(dialogue.isReading)
    let size = 32 * 1024
    let part = isChunked ? HTTP1Text.chunk(size) : String(repeating: "x", count: size)
    for number in 1...(total / size) {
      try dialogue.say(part)
      let call = dialogue.calls[0]
      #expect(call.body.count == min(number * size, (number - 1) / 8 * window + window))
      guard number % 8 == 0, number < total / size else { continue }
      #expect(!dialogue.isReading)
      // Its time does not run.
      dialogue.wait(.seconds(600))
      #expect(!dialogue.isClosed)
      call.exchange.consume(window)
      dialogue.run()
      #expect(dialogue.isReading)
    }
    if isChunked { try dialogue.say(HTTP1Text.lastChunk) }
    #expect(try dialogue.hear().hasSuffix("/ \(total)"))
    #expect(dialogue.isReading)
  }

  @Test func whatCameWithoutRoomGoesOnWhenThereIsSome() throws {
    let dialogue = try HTTP1Dialogue(.with { $0.bodyWindow = 100 }) { call, step in
      call.consumes = false
      HTTP1Dialogue.echo(call, step)
    }
    try dialogue.say(HTTP1Text.post("/1", 250) + HTTP1Text.get("/2"))
    let call = dialogue.calls[0]
    #expect(call.body.count == 100)
    #expect(!dialogue.isReading)
    call.exchange.consume(60)
    dialogue.run()
    #expect(call.body.count == 160)
    call.exchange.consume(100)
    dialogue.run()
    let heard = try dialogue.hear()
    #expect(heard.contains("/1 250"))
    #expect(heard.hasSuffix("/2 0"))
    #expect(dialogue.isReading)
  }

  @Test func requestsThatWaitStopTheirClient() throws {
    let dialogue = try HTTP1Dialogue { _, _ in }
    try dialogue.say(HTTP1Text.get("/1"))
    #expect(dialogue.isReading)
    try dialogue.say(HTTP1Text.get("/2"))
    #expect(!dialogue.isReading)
    dialogue.calls[0].answer("1")
    #expect(try dialogue.hear().hasSuffix("\r\n\r\n1"))
    #expect(dialogue.calls.count == 2)
    #expect(dialogue.isReading)
  }

  @Test func aClientThatDoesNotReadIsNotReadEither() throws {
    let dialogue = try HTTP1Dialogue()
    dialogue.setWritable(false)
    try dialogue.say(HTTP1Text.get("/1"))
    #expect(!dialogue.isReading)
    #expect(try dialogue.hear() == "")
    dialogue.setWritable(true)
    #expect(dialogue.isReading)
    #expect(try dialogue.hear().hasSuffix("/1 0"))
  }

  @Test(arguments: [("requests", true), ("small chunks", true), ("large chunks", false), ("a large body", false)])
  func aClientThatSendsManySmallPartsAtOnceIsReadInSmallPieces(_ what: String, _ isSmall: Bool) throws {
    let dialogue = try HTTP1Dialogue()
    let text =
      switch what {
      case "requests": String(repeating: HTTP1Text.get("/"), count: 65)
      case "small chunks": HTTP1Text.chunked("/") + String(repeating: HTTP1Text.chunk(1), count: 520)
      case "large chunks": HTTP1Text.chunked("/") + String(repeating: HTTP1Text.chunk(256), count: 1000)
      default: HTTP1Text.post("/", 200_000)
      }
    try dialogue.say(text)
    let sizes = dialogue.channel.options.last { $0.option is ChannelOptions.Types.RecvAllocatorOption }?.value
    #expect((sizes as? FixedSizeRecvByteBufferAllocator)?.capacity == (isSmall ? 2048 : nil))
    #expect(!dialogue.isClosed)
  }
}
