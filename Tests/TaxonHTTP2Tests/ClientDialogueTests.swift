// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@testable import TaxonHTTP2

/// What a client's session says to a peer, frame by frame.
@Suite struct ClientDialogueTests {
  /// The frames on streams: what comes on stream 0 is not what is tested.
  private func streams(_ frames: [ScriptedPeer.Frame]) -> [ScriptedPeer.Frame] {
    frames.filter { frame in
      switch frame {
      case .other(_, let stream): stream != 0
      default: true
      }
    }
  }

  @Test(arguments: [true, false])
  func aCallThatIsGivenUpBeforeItsHeadersHaveLeftLeavesNoTrace(isFinished: Bool) throws {
    let dialogue = try ClientDialogue()
    let (stream, call) = try dialogue.open(finished: isFinished)
    stream.abandon(UndeclaredError.cancelled)
    stream.abandon(UndeclaredError.cancelled)
    #expect(try streams(dialogue.drain()) == [])
    #expect(call.ends.count == 1)
    #expect(call.failure?.status == .cancelled)
    #expect(dialogue.session.streams.isEmpty)
  }

  @Test func aCallThatIsGivenUpAfterItsHeadersHaveLeftIsResetOnce() throws {
    let dialogue = try ClientDialogue()
    let (stream, call) = try dialogue.open(finished: false)
    _ = try dialogue.drain()
    stream.abandon(UndeclaredError.cancelled)
    #expect(try streams(dialogue.drain()) == [.reset(stream: 1, code: 8)])
    stream.abandon(UndeclaredError.cancelled)
    #expect(try streams(dialogue.drain()) == [])
    #expect(call.ends.count == 1)
  }

  @Test func aRequestWhoseHeadersAreTooLargeLeavesNoTrace() throws {
    let dialogue = try ClientDialogue()
    let call = ClientDialogue.Call()
    let stream = ClientStream(
      call: call, takesManyMessages: false, maxMessageSize: 1 << 20, maxHeaderListSize: 16 * 1024)
    try dialogue.session.submitRequest(
      stream,
      head: HeaderBlock(
        [.init(":method", "POST"), .init(":scheme", "http"), .init(":path", "/a/B")]
          + (0..<10).map { .init("x-\($0)", String(repeating: "x", count: 10_000)) }))
    #expect(try streams(dialogue.drain()) == [])
    #expect(call.failure?.status == .resourceExhausted)
  }
}
