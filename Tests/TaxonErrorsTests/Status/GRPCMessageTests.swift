// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import Testing

@Suite struct GRPCMessageTests {
  @Test(arguments: [
    ("", ""), ("Task 42 not found", "Task 42 not found"), ("~ !\"#$&'()*+,-./:;<=>?@", "~ !\"#$&'()*+,-./:;<=>?@"),
    ("100%", "100%25"), ("a\nb\tc", "a%0Ab%09c"), ("für", "f%C3%BCr"), ("🐙", "%F0%9F%90%99"), ("\u{7F}\0", "%7F%00"),
  ]) func encodesWhatIsNotPlainAndReadsItBack(text: String, header: String) {
    #expect(GRPCMessage.encode(text) == header)
    #expect(GRPCMessage.decode(header.utf8) == text)
  }

  @Test(arguments: [("100%", "100%"), ("%4", "%4"), ("%zz%41", "%zzA"), ("%c3%bc", "ü")])
  func keepsEscapesThatAreNone(header: String, text: String) {
    #expect(GRPCMessage.decode(header.utf8) == text)
  }

  @Test func replacesBytesThatAreNoUTF8() {
    #expect(GRPCMessage.decode("a%FFb".utf8) == "a\u{FFFD}b")
  }

  @Test(arguments: 0...127) func everyByteIsEncodedAlikeWhereverItStands(_ byte: UInt8) {
    let scalar = Character(Unicode.Scalar(byte))
    let isPlain = (0x20...0x7E).contains(byte) && byte != 0x25
    let code = isPlain ? String(scalar) : GRPCMessage.encode(String(scalar))
    #expect(isPlain ? byte == 0x20 || code == GRPCMessage.encode(code) : code.utf8.count == 3)
    for place in 1...18 {
      let (before, after) = (String(repeating: "a", count: place), String(repeating: "z", count: 19 - place))
      #expect(GRPCMessage.encode(before + String(scalar) + after) == before + code + after)
    }
  }
}
