// SPDX-License-Identifier: Apache-2.0
import Taxon
import Testing

/// Code with names that Swift has for itself (Schemas/shop/v1/names.proto), in use.
@Suite struct GeneratedNameTests {
  @Test func aCaseIsNotTakenForNil() throws {
    var holder = NamesHolder()
    #expect(holder.mode == nil)
    holder.mode = .noneValue
    #expect(holder.mode != nil && holder.mode == .noneValue)
    #expect(try NamesHolder(decoding: holder.encoded()).mode == .noneValue)
    holder.mode = .someValue
    #expect(try holder.jsonString() == #"{"mode":"MODE_SOME"}"#)
    switch holder.mode {
    case .someValue: break
    default: Issue.record("another case was taken")
    }
    holder.mode = .map
    #expect(holder.mode == .map)
    holder.mode = .self_
    #expect(try NamesHolder(decoding: holder.encoded()) == holder)
  }

  @Test func membersOfAOneofAreNotTakenForNil() throws {
    var holder = NamesHolder(any: .noneValue("x"), _1: ._2nd("y"))
    #expect(try NamesHolder(decoding: holder.encoded()) == holder)
    if case .noneValue(let text) = holder.any { #expect(text == "x") } else { Issue.record("another case was taken") }
    holder.any = .someValue("z")
    holder._1 = .underscore("w")
    #expect(try holder.jsonString() == #"{"some":"z","":"w"}"#)
    holder.any = .other(NamesHolder.Any_(number: 3))
    #expect(try NamesHolder(decoding: holder.encoded()) == holder)
    holder.any = nil
    holder._1 = nil
    #expect(holder == NamesHolder())
  }

  /// A memberwise initialiser with the label would be called, and nothing decoded.
  @Test func aFieldDoesNotHideHowAMessageIsDecoded() throws {
    let bytes = try NamesHolder(inner: .init(number: 7), decodingField: [1], jsonField: "{}").encoded()
    #expect(try NamesHolder(decoding: bytes).inner == NamesHolder.Any_(number: 7))
    #expect(try NamesHolder(json: #"{"json": "j"}"#).json == "j")
  }

  @Test func namesThatClashAreToldApart() throws {
    let both = NamesTwice(userID: "u", userIDOneOf: .b("c"))
    #expect(try NamesTwice(decoding: both.encoded()) == both)
    #expect(try both.jsonString() == #"{"userId":"u","b":"c"}"#)
  }

  @Test func theWellKnownTypesOfAllFilesAreThere() throws {
    let type = Google_Protobuf_Type(name: "t", sourceContext: .init(fileName: "t.proto"))
    #expect(try Google_Protobuf_Type(json: type.jsonString()) == type)
    let api = Google_Protobuf_Api(name: "a", methods: [.init(name: "m")], mixins: [.init(name: "x")])
    #expect(try Google_Protobuf_Api(decoding: api.encoded()) == api)
    #expect(ProtoFileDescriptor.googleProtobufAPI.closure.map(\.name).contains("google/protobuf/type.proto"))
  }
}
