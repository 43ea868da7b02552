// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

@Suite struct RoundTripTests {
  private func again<M: Message>(_ message: M) throws -> M { try M(decoding: try message.encoded()) }

  @Test(arguments: [0, 1, -1, .min, .max] as [Int32])
  func int32Kinds(_ value: Int32) throws {
    let message = Singular(int32Value: value, sint32Value: value, sfixed32Value: value)
    #expect(try again(message) == message)
  }

  @Test(arguments: [0, 1, -1, .min, .max, 1 << 35] as [Int64])
  func int64Kinds(_ value: Int64) throws {
    let message = Singular(int64Value: value, sint64Value: value, sfixed64Value: value)
    #expect(try again(message) == message)
  }

  @Test(arguments: [0, 1, 127, 128, .max] as [UInt64])
  func unsignedKinds(_ value: UInt64) throws {
    let half = UInt32(truncatingIfNeeded: value)
    let message = Singular(uint32Value: half, uint64Value: value, fixed32Value: half, fixed64Value: value)
    #expect(try again(message) == message)
  }

  @Test(arguments: [0, 1.5, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude] as [Double])
  func floatingPointKinds(_ value: Double) throws {
    let message = Singular(doubleValue: value, floatValue: Float(value))
    #expect(try again(message) == message)
  }

  @Test func negativeZeroIsNoDefault() throws {
    let message = try again(Singular(doubleValue: -0.0, floatValue: -0.0))
    #expect(message.doubleValue.sign == .minus)
    #expect(message.floatValue.sign == .minus)
  }

  @Test func notANumberKeepsItsBits() throws {
    let value = Double(bitPattern: 0x7FF8_0000_0000_1234)
    #expect(try again(Singular(doubleValue: value)).doubleValue.bitPattern == value.bitPattern)
  }

  @Test(arguments: ["", "\0", "a\0b", "é", "👩‍👩‍👧", String(repeating: "ab\0", count: 5000)])
  func strings(_ value: String) throws {
    let message = Singular(stringValue: value)
    let decoded = try again(message)
    #expect(decoded == message)
    #expect(Array(decoded.stringValue.utf8) == Array(value.utf8))
  }

  @Test(arguments: [0, 1, 4095, 4096, 4097, 70_000, 300_000])
  func bytesOfAnySize(_ count: Int) throws {
    let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let message = Repeated(stringValues: ["x"], bytesValues: [value, [1], value, [], value])
    #expect(try again(message) == message)
  }

  @Test func numbersThatTheCodeHasNoNameForAreKept() throws {
    let message = try Singular(decoding: hex("8001 7b"))
    #expect(message.enumValue == .unrecognized(123))
    #expect(hex(try message.encoded()) == "80017b")
  }

  @Test func enumsAreEqualByNumber() {
    #expect(Colour.unrecognized(2) == .blue)
    #expect(Colour.crimson == .red)
    #expect(Set([Colour.unrecognized(2), .blue]).count == 1)
  }

  @Test(
    arguments: [
      .doubleValue(0), .floatValue(1), .int32Value(-1), .int64Value(0), .uint32Value(1), .uint64Value(2),
      .sint32Value(-3), .sint64Value(-4), .fixed32Value(5), .fixed64Value(6), .sfixed32Value(-7), .sfixed64Value(-8),
      .boolValue(false), .boolValue(true), .stringValue(""), .stringValue("text"), .bytesValue([]),
      .bytesValue([1, 0]),
      .enumValue(.blue), .enumValue(.unrecognized(9)), .messageValue(Child()), .messageValue(Child(number: 1)),
      .choiceValue(Choice(value: .boolValue(true))),
    ] as [Choice.Value])
  func oneofMembers(_ value: Choice.Value) throws {
    let message = Choice(before: 1, value: value, after: "z")
    #expect(try again(message) == message)
  }

  @Test func bigMapsAndArrays() throws {
    let maps = Maps(
      texts: Dictionary(uniqueKeysWithValues: (0..<2000).map { ("key \($0)", "value \($0)") }),
      numbers: Dictionary(uniqueKeysWithValues: (0..<2000).map { (Int32($0), Int64($0) << 40) }))
    #expect(try again(maps) == maps)
    let arrays = Repeated(
      int32Values: (0..<100_000).map { $0 &* 77_777 }, boolValues: (0..<1000).map { $0 % 3 == 0 },
      stringValues: (0..<5000).map { "string number \($0)" }, messageValues: (0..<3000).map { Child(number: $0) })
    #expect(try again(arrays) == arrays)
  }

  @Test func recursiveMessages() throws {
    var child = Child(number: 0)
    for number in 1...99 { child = Child(number: Int32(number), child: child) }
    #expect(try again(child) == child)
    let even = Even(next: Odd(next: Even(), others: [Even(next: Odd()), Even()]))
    #expect(try again(even) == even)
  }

  @Test func copiesOfRecursiveMessagesAreIndependent() {
    let original = Child(number: 1, child: Child(number: 2))
    var copy = original
    copy.child?.number = 3
    #expect(original.child?.number == 2)
    #expect(copy.child?.number == 3)
    #expect(copy != original)
  }

  @Test func anyCollectionOfBytesDecodes() throws {
    let bytes = try Child(name: "x").encoded()
    #expect(try Child(decoding: bytes[...]).name == "x")
    #expect(try Child(decoding: AnyCollection(bytes)).name == "x")
    #expect(try bytes.withUnsafeBytes { try Child(decoding: $0) }.name == "x")
    #expect(try Child(decoding: UnsafeRawBufferPointer(start: nil, count: 0)) == Child())
  }

  @Test func theEncoderWritesWhereItIsTold() throws {
    let message = Child(name: "abc")
    let bytes = try message.withEncoder { encoder in
      [UInt8](unsafeUninitializedCapacity: 5 + encoder.byteCount) { buffer, count in
        buffer[0..<5].initialize(repeating: 9)
        count =
          5 + encoder.pack(into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[5...]))
      }
    }
    let encoded = try message.encoded()
    #expect(bytes == [9, 9, 9, 9, 9] + encoded)
  }

  @Test func manyThreadsAtOnce() async throws {
    let message = Repeated(stringValues: ["a", "b"], messageValues: [Child(child: Child(name: "c"))])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<500 {
            let decoded = try Repeated(decoding: try message.encoded())
            #expect(decoded == message)
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
