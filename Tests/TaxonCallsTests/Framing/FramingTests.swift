// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import Testing

@testable import TaxonCalls

@Suite struct FramingTests {
  @Test(arguments: [
    ("1H", Duration.seconds(3600)), ("2M", .seconds(120)), ("3S", .seconds(3)), ("4m", .milliseconds(4)),
    ("5u", .microseconds(5)), ("6n", .nanoseconds(6)), ("99999999S", .seconds(99_999_999)),
  ])
  func timeoutsAreRead(_ text: String, _ duration: Duration) {
    #expect(Timeout.parse(Array(text.utf8)) == duration)
  }

  @Test(arguments: ["", "S", "1", "1x", "-1S", "123456789S", "1 S", "1.5S", "٣S"])
  func whatIsNoTimeoutIsNil(_ text: String) {
    #expect(Timeout.parse(Array(text.utf8)) == nil)
  }

  @Test(arguments: [
    (Duration.zero, "1n"), (.nanoseconds(-5), "1n"), (.nanoseconds(7), "7n"), (.milliseconds(99), "99000000n"),
    (.milliseconds(100), "100000u"), (.seconds(60), "60000000u"), (.seconds(100), "100000m"),
    (.seconds(99_999), "99999000m"), (.seconds(100_000), "100000S"), (.seconds(100_000_000), "1666666M"),
  ])
  func timeoutsAreWrittenInTheFinestUnitWithRoom(_ duration: Duration, _ text: String) {
    #expect(Timeout.format(duration) == text)
  }

  @Test(arguments: [0, 3]) func aMessageThatIsNotTakenIsHeld(_ count: Int) throws {
    var deframer = MessageDeframer(limit: 10)
    let frame: [UInt8] = [0, 0, 0, 0, UInt8(count)] + [UInt8](repeating: 1, count: count)
    let rest = try frame.withUnsafeBytes { bytes in try deframer.process(bytes) { _, _ in false } }
    #expect(rest == 0 && deframer.hasMessage)
    // The stream waits for as long as something is held.
    #expect(deframer.heldCount >= 5 + count)
    _ = try deframer.process(UnsafeRawBufferPointer(start: nil, count: 0)) { _, _ in true }
    #expect(deframer.heldCount == 0)
  }

  @Test(arguments: [0, 1, 2, 3, 4, 5, 61, 62, 63, 255, 256])
  func base64GoesThereAndBack(_ count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 255) }
    let text = Base64.encode(bytes, isPadded: false)
    #expect(!text.contains(UInt8(ascii: "=")))
    #expect(decode(text) == bytes)
    let padding = [UInt8](repeating: UInt8(ascii: "="), count: (4 - text.count % 4) % 4)
    #expect(decode(text + padding) == bytes)
    #expect(Base64.encode(bytes, isPadded: true) == text + padding)
  }

  @Test func base64IsTheStandardAlphabet() {
    #expect(String(decoding: Base64.encode([0xfb, 0xff, 0xbf], isPadded: false), as: UTF8.self) == "+/+/")
    #expect(decode(Array("-_+/".utf8)) == [0xfb, 0xff, 0xbf])
  }

  @Test(arguments: ["A", "AA=", "A===", "AA=A", "A*/A", "AAAA=", "A A="])
  func whatIsNoBase64IsNil(_ text: String) {
    #expect(decode(Array(text.utf8)) == nil)
  }

  private func decode(_ text: [UInt8]) -> [UInt8]? { text.withUnsafeBufferPointer { Base64.decode($0) } }

  @Test func metadataKeepsOrderAndSeveralValues() {
    var metadata: Metadata = ["X-One": "1", "x-two": "2"]
    metadata.add("x-one", "3")
    metadata.add("key-bin", bytes: [1, 2])
    #expect(metadata["x-one"] == "1")
    #expect(metadata.values("X-ONE") == ["1", "3"])
    #expect(metadata.bytes("key-bin") == [[1, 2]])
    metadata["x-one"] = nil
    #expect(metadata.entries.map(\.name) == ["x-two", "key-bin"])
  }

  @Test(arguments: ["grpc-status", "content-type", "te", ":path", "", "a b", "ü", "key-bin", "connection"])
  func reservedAndBadNamesAreLeftOut(_ name: String) {
    var metadata = Metadata()
    let isAdded = metadata.add(name, "x")
    #expect(!isAdded)
    #expect(metadata.isEmpty)
  }

  @Test(arguments: ["a\nb", " a", "a ", "ä"])
  func badValuesAreLeftOut(_ value: String) {
    var metadata = Metadata()
    let isAdded = metadata.add("x", value)
    #expect(!isAdded)
  }

  @Test func aBinaryHeaderMayHoldSeveralValues() {
    var metadata = Metadata()
    let cache = HeaderCache()
    Array("AQ,AgM=, BA".utf8).withUnsafeBufferPointer {
      metadata.receive(name: "key-bin", value: $0, cache: cache)
    }
    #expect(metadata.bytes("key-bin") == [[1], [2, 3], [4]])
  }

  @Test func messagesAreCutWhereverTheInputIs() throws {
    let stream: [UInt8] = [0, 0, 0, 0, 2, 1, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9]
    for cut in 0...stream.count {
      var deframer = MessageDeframer(limit: 100)
      var messages: [[UInt8]] = []
      for part in [stream[..<cut], stream[cut...]] {
        try Array(part).withUnsafeBytes { bytes in
          let rest = try deframer.process(bytes) { isCompressed, message in
            messages.append([isCompressed ? 1 : 0] + Array(message))
            return true
          }
          #expect(rest == 0)
        }
      }
      #expect(messages == [[0, 1, 2], [0], [1, 7, 8, 9]], "cut at \(cut)")
      #expect(deframer.isAtBoundary)
    }
  }

  @Test func theLimitIsCheckedOnThePrefix() {
    var deframer = MessageDeframer(limit: 10)
    let prefix: [UInt8] = [0, 0, 0, 0, 11]
    var failure: MessageDeframer.Failure?
    prefix.withUnsafeBytes { bytes in
      do throws(MessageDeframer.Failure) {
        _ = try deframer.process(bytes) { _, _ in true }
      } catch {
        failure = error
      }
    }
    #expect(failure == .tooLarge(size: 11, limit: 10))
  }
}
