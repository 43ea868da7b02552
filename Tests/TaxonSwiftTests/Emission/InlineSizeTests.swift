// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon
import TaxonSwift
import Testing

/// Messages that are kept on the heap, because with them the message around would be too large.
@Suite struct InlineSizeTests {
  private static let fields = (1...16).map { "optional int32 f\($0) = \($0);" }.joined(separator: " ")

  /// Messages of the given number of fields of Inner, which comes to 17 values.
  private func swift(_ count: Int, _ label: String) throws -> String {
    let inner = (1...count).map { "\(label) Inner i\($0) = \($0);" }.joined(separator: " ")
    return try TestSchema.proto2("message Inner { \(Self.fields) }\nmessage Outer { \(inner) }").swift()
  }

  @Test func whatComesToLittleLiesInTheMessage() throws {
    #expect(try swift(3, "optional").contains("  var i3: T_Inner?\n"))
    #expect(try swift(3, "required").contains("  var i3: T_Inner\n"))
  }

  @Test func whatComesToMuchIsKeptOnTheHeap() throws {
    #expect(try swift(4, "optional").contains("  @Indirect var i3: T_Inner?\n"))
    #expect(try swift(4, "required").contains("  @Boxed var i3: T_Inner\n"))
    #expect(try swift(9, "repeated").contains("  var i3: [T_Inner]\n"))
  }

  @Test func aSmallMessageIsNeverKeptOnTheHeap() throws {
    let inner = (1...70).map { "optional Inner i\($0) = \($0);" }.joined(separator: " ")
    let swift = try TestSchema.proto2(
      "message Inner { optional int32 a = 1; optional string b = 2; }\nmessage Outer { \(inner) }"
    ).swift()
    #expect(!swift.contains("@Indirect"))
  }

  @Test func aMemberMakesItsOneofIndirect() throws {
    let members = (1...4).map { "Inner i\($0) = \($0);" }.joined(separator: " ")
    let swift = try TestSchema.proto2(
      "message Inner { \(Self.fields) }\nmessage Outer { oneof one { \(members) } }"
    ).swift()
    #expect(swift.contains("  indirect enum One: "))
  }

  @Test func aChainIsCutAgainAndAgain() throws {
    let links = (1...200).map { "message M\($0) { \(Self.fields) optional M\($0 - 1) inner = 17; }" }
    let swift = try TestSchema.proto2("message M0 {}\n" + links.joined(separator: "\n")).swift()
    // 18 values, 35, 52, and one more would be 69.
    #expect(swift.components(separatedBy: "@Indirect").count - 1 == 66)
  }

  @Test func whatIsOnTheHeapIsAValueLikeAnyOther() throws {
    var pallet = Pallet(
      first: Parcel(f1: "1"), second: Parcel(f2: "2"), fourth: Parcel(f4: "4"), top: .parcel(Parcel(f5: "5")),
      note: Label(text: "fragile"))
    let copy = pallet
    pallet.first.f1 = "changed"
    pallet.second?.f2 = "changed"
    #expect(copy.first.f1 == "1" && copy.second?.f2 == "2")
    #expect(copy != pallet)
    #expect(copy.hashValue == { copy }().hashValue)
    #expect(try Pallet(decoding: copy.encoded()) == copy)
    #expect(try Pallet(json: pallet.jsonString()) == pallet)
  }

  @Test func aRequiredFieldOnTheHeapIsStillRequired() throws {
    let error = #expect(throws: MessageDecodingError.self) { try Pallet(decoding: [10, 0]) }
    #expect(error?.reason == .missingRequiredField && error?.fieldName == "fourth")
    #expect(try Pallet(decoding: [10, 0, 34, 0]) == Pallet(first: Parcel(), fourth: Parcel()))
  }
}
