// SPDX-License-Identifier: Apache-2.0

import TaxonProtobuf
import Testing

/// `[default = …]` of proto2.
@Suite struct DefaultTests {
  @Test func aFieldThatIsNotSetReadsAsItsDefaultValue() throws {
    let message = Defaults(must: 0)
    #expect(message.number == -7)
    #expect(message.large == .max)
    #expect(message.small == 1.5e-3)
    #expect(message.most == .infinity && message.least == -.infinity && message.none.isNaN)
    #expect(message.zero == 0 && message.zero.sign == .minus)
    #expect(message.flag)
    #expect(message.text == "a \"quoted\"\n\\lineé")
    #expect(message.blob == [0, 255, 0x61, 0x5C, 0x0A])
    #expect(message.shape == .hollow)
    #expect(message.lowest == .min)
    #expect(message.unsaid == nil)
    // Only what must be there is on the wire.
    #expect(try message.encoded() == hex("6800"))
  }

  @Test func presenceIsKept() throws {
    var message = Defaults(must: 1)
    #expect(message.$number == nil)
    message.number = -7
    #expect(message.$number == -7)
    #expect(message != Defaults(must: 1))
    let bytes = try message.encoded()
    #expect(try Defaults(decoding: bytes) == message)
    message.$number = nil
    #expect(message == Defaults(must: 1))
    #expect(message.hashValue == Defaults(must: 1).hashValue)
    #expect(message.number == -7)
  }

  @Test func theInitialiserSetsFields() throws {
    let message = Defaults(number: 1, flag: false, text: "", shape: .round, must: 2)
    #expect(message.number == 1 && !message.flag && message.text.isEmpty && message.shape == .round)
    #expect(message.$text == "" && message.$blob == nil)
    #expect(try Defaults(decoding: message.encoded()) == message)
  }

  @Test func keywordsAndNamesOfMembersAreNamesOfFields() throws {
    let message = Keywords(encoded: "e", write: "w", decoding: "d", projectedValue: "p")
    #expect(message.class == "c" && message.is == .round)
    #expect(try Keywords(decoding: message.encoded()) == message)
  }

  @Test func aCycleWithARequiredPartIsByValue() throws {
    let hen = Hen(egg: Egg(hen: Hen(egg: nil)))
    #expect(try Hen(decoding: hen.encoded()) == hen)
    #expect(throws: MessageDecodingError.self) { try Hen(decoding: hex("0a00")) }
  }

  @Test func aCycleOfRequiredFieldsIsCheckedBothWays() throws {
    let message = Endless(number: 1, next: Endless(number: 2))
    let error = try #require(throws: MessageEncodingError.self) { try message.encoded() }
    #expect(error.description == "taxon.test.Endless.next: a required field is missing")
    #expect(throws: MessageDecodingError.self) { try Endless(decoding: hex("0801 12020802")) }
    // What failed leaves nothing behind.
    #expect(try Hen().encoded() == [])
    #expect(message.description == "taxon.test.Endless { number: 1 next { number: 2 } }")
  }
}
