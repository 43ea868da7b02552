// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct ErrorTextTests {
  @Test func writesScalars() {
    #expect(ErrorText("a\"b") == "a\"b")
    #expect(ErrorText(Int32(-7)) == "-7")
    #expect(ErrorText(UInt64.max) == "18446744073709551615")
    #expect(ErrorText(true) == "true")
    #expect(ErrorText(1.5) == "1.5")
    #expect(ErrorText(3.0) == "3")
    #expect(ErrorText(Float(0.1)) == "0.1")
    #expect(ErrorText(-Double.infinity) == "-inf")
  }

  @Test func writesAnEnumByItsNameInTheSchema() {
    #expect(ErrorText(Severity.warning) == "WARNING")
    #expect(ErrorText(Severity.unrecognized(99)) == "99")
  }

  @Test(arguments: [
    ([], ""), ([0x66], "Zg=="), ([0x66, 0x6F], "Zm8="), ([0x66, 0x6F, 0x6F], "Zm9v"),
    ([0xFF, 0xFE, 0xFD, 0xFC], "//79/A=="),
  ]) func writesBytesInBase64(bytes: [UInt8], text: String) {
    #expect(ErrorText(bytes) == text)
  }

  @Test func joinsRepeatedValues() {
    #expect(ErrorText(["vision", "audio"]) == "vision, audio")
    #expect(ErrorText([Int32(1), 2]) == "1, 2")
    #expect(ErrorText([true, false]) == "true, false")
    #expect(ErrorText([1.5, 2]) == "1.5, 2")
    #expect(ErrorText([Severity.debug, .error]) == "DEBUG, ERROR")
    #expect(ErrorText([[UInt8(0x66)], []]) == "Zg==, ")
    #expect(ErrorText([String]()) == "")
  }
}
