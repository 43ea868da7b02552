// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@testable import TaxonCalls

/// Answers of those who speak HTTP and no gRPC: proxies whose server is gone.
@Suite struct OtherAnswerTests {
  private typealias Peer = ScriptedPeer

  private func status(_ frames: [UInt8]..., in dialogue: ClientDialogue? = nil) throws -> ReceivedStatus {
    let dialogue = try dialogue ?? ClientDialogue()
    let (_, call) = try dialogue.open()
    _ = try dialogue.drain()
    try dialogue.say(Array(frames.joined()))
    guard let status = call.status, call.end?.error != nil else {
      Issue.record("no status, but \(String(describing: call.end))")
      return ReceivedStatus(code: .unknown)
    }
    return status
  }

  @Test func whoAnsweredIsNamed() throws {
    let nginx = try status(Peer.headers(1, [(":status", "502"), ("server", "nginx/1.22.1")], endStream: true))
    #expect(nginx.message == "nginx/1.22.1 answered HTTP 502")
    #expect(nginx.code == .unavailable)
    let nobody = try status(Peer.headers(1, [(":status", "404")], endStream: true))
    #expect(nobody.message == "The server answered HTTP 404")
    #expect(nobody.code == .unimplemented)
    let page = try status(
      Peer.headers(1, [(":status", "200"), ("content-type", "text/html"), ("server", "Apache")]))
    #expect(page.message == "The answer's content-type is not application/grpc (Apache answered)")
  }

  @Test func aNameIsBoundedAndPrintable() throws {
    let long = try status(
      Peer.headers(1, [(":status", "503"), ("server", String(repeating: "x", count: 500))], endStream: true))
    #expect(long.message == String(repeating: "x", count: 64) + " answered HTTP 503")
    let odd = try status(Peer.headers(1, [(":status", "503"), ("server", "a\u{e9}\u{200b}b")], endStream: true))
    #expect(odd.message == "ab answered HTTP 503")
  }

  @Test(arguments: ["429", "502", "503", "504"]) func retryAfterIsAHint(_ code: String) throws {
    let seconds = try status(Peer.headers(1, [(":status", code), ("retry-after", "7")], endStream: true))
    #expect(seconds.code == .unavailable)
    #expect(seconds.retryAfter == .seconds(7))
    let past = try status(
      Peer.headers(1, [(":status", code), ("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")], endStream: true))
    #expect(past.retryAfter == .zero)
    let future = try status(
      Peer.headers(1, [(":status", code), ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")], endStream: true))
    #expect(try #require(future.retryAfter) > .seconds(1_000_000_000))
  }

  @Test func aStatusThatIsFinalHasNoHint() throws {
    let moved = try status(Peer.headers(1, [(":status", "404"), ("retry-after", "7")], endStream: true))
    #expect(moved.retryAfter == nil)
  }

  @Test func theBeginningOfTheBodyIsToldWhenTheStreamIsClosed() throws {
    let head = Peer.headers(1, [(":status", "502"), ("server", "nginx/1.22.1"), ("content-type", "text/html")])
    let body = Array("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n".utf8)
    let whole = try ClientDialogue()
    _ = try status(head, Peer.data(1, body, endStream: true), in: whole)
    #expect(
      whole.otherAnswers == [
        OtherAnswer(
          message: "nginx/1.22.1 answered HTTP 502", body: "<html> <head><title>502 Bad Gateway</title></head>")
      ])
    // The server goes on; the stream is reset.
    let endless = try ClientDialogue()
    let a = [UInt8](repeating: UInt8(ascii: "a"), count: 200)
    _ = try status(head, Peer.data(1, a), Peer.data(1, a), in: endless)
    #expect(endless.otherAnswers.map(\.body) == [String(repeating: "a", count: 256)])
    let binary = try ClientDialogue()
    _ = try status(head, Peer.data(1, [0, 1, 2], endStream: true), in: binary)
    #expect(binary.otherAnswers.map(\.body) == [nil])
    // An answer that speaks gRPC is none of them.
    let good = try ClientDialogue()
    let grpc = Peer.headers(
      1, [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "5")], endStream: true)
    _ = try status(grpc, in: good)
    #expect(good.otherAnswers.isEmpty)
    // Nor is one whose trailers are wrong.
    let wrong = try ClientDialogue()
    let begun = Peer.headers(1, [(":status", "200"), ("content-type", "application/grpc")])
    _ = try status(begun, Peer.headers(1, [("grpc-status", "0")], endStream: true), in: wrong)
    #expect(wrong.otherAnswers.isEmpty)
  }

  @Test func aTextThatIsCutInACharacterEndsBeforeIt() {
    let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 255) + [0xc3]
    #expect(OtherAnswerReader.text(bytes) == String(repeating: "a", count: 255))
    #expect(OtherAnswerReader.text([]) == nil)
  }
}
