// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonSchema
import Testing

@testable import TaxonSwift

@Suite struct SettingsTests {
  @Test func theParameterHasAllSettings() throws {
    let settings = try GeneratorSettings(
      parameter:
        "access=public,imports=A;B,module=a/b.proto:C,module=d.proto:E,prefix=a.b:AB,prefix=d.proto:,self=F,source=/a%2Cb,source=/c"
    )
    #expect(settings.access == .public)
    #expect(settings.imports == ["A", "B"])
    #expect(settings.modules == ["a/b.proto": "C", "d.proto": "E"])
    #expect(settings.prefixes == ["a.b": "AB", "d.proto": ""])
    #expect(settings.ownModule == "F")
    #expect(settings.sourceFolders == ["/a,b", "/c"])
    #expect(try GeneratorSettings(parameter: "") == GeneratorSettings())
  }

  @Test func partsOfTheCodeCanBeLeftOut() throws {
    let less = try GeneratorSettings(parameter: "clients=false,fakes=false,descriptors=false")
    #expect(!less.clients && !less.fakes && less.descriptors == .omitted)
    let all = try GeneratorSettings(parameter: "clients=true,fakes=true,descriptors=true")
    #expect(all == GeneratorSettings())
    #expect(try GeneratorSettings(parameter: "descriptors=only").descriptors == .alone)
  }

  @Test(arguments: [
    ("access=open", "parameter access=open is not an access level; write public, package or internal"),
    (
      "acess=public",
      "\"acess\" is not a parameter; the parameters are access, clients, descriptors, fakes, imports, module, prefix, self and source"
    ),
    ("fakes=no", "parameter fakes=no is neither true nor false"),
    ("descriptors=all", "parameter descriptors=all is neither true nor false"),
    ("access", "parameter \"access\" has no value; write access=…"),
    (
      "prefix=a:1B",
      "parameter prefix=a:1B cannot begin Swift names; write prefix=a.package:Prefix, or prefix=path/of.proto:Prefix"
    ),
    ("module=a.proto", "parameter module=a.proto names no module; write module=path/of.proto:Module"),
  ])
  func aMistakeInTheParameterIsReported(parameter: String, mistake: String) {
    #expect(throws: GeneratorSettings.Mistake(description: mistake)) { try GeneratorSettings(parameter: parameter) }
  }

  @Test func protocHearsOfMistakesOnLinesOfTheirOwn() throws {
    let names = ["t.proto"]
    let schema = TestSchema.errors("message A { option (taxon.error) = { code: \"a\" }; }")
    let request = Google_Protobuf_Compiler_CodeGeneratorRequest(
      fileToGenerate: names,
      protoFile: try Google_Protobuf_FileDescriptorSet(decoding: schema.descriptorSet(names)).file)
    let answer = try ProtocPlugin(TargetLanguages([("swift", GeneratorSettings.self)])).answer(request.encoded())
    let response = try Google_Protobuf_Compiler_CodeGeneratorResponse(decoding: answer)
    #expect(
      response.error == """

        t.proto:5:9: error: error A has no status; add status: … to it or to a category around it
        t.proto:5:13: error: code "a" is not in UPPER_SNAKE_CASE (AIP-193); write "A"
        """)
    #expect(response.file.isEmpty)
    // FEATURE_PROTO3_OPTIONAL and FEATURE_SUPPORTS_EDITIONS, EDITION_PROTO2, EDITION_2026.
    #expect(response.supportedFeatures == 3)
    #expect(response.minimumEdition == 998 && response.maximumEdition == 1002)
  }

  /// Newer versions of protoc know them.
  @Test func anEditionOfTheFutureIsRefused() throws {
    let edition = try Google_Protobuf_FileDescriptorProto(
      decoding: Google_Protobuf_FileDescriptorProto(name: "t.proto", syntax: "editions").encoded() + [0x70, 0x9F, 0x1F])
    for (file, what) in [
      (edition, "edition 3999"), (.init(name: "t.proto", syntax: "editions"), "edition without a number"),
      (.init(name: "t.proto", syntax: "editions", edition: .edition99999TestOnly), "edition 99999"),
      (.init(name: "t.proto", syntax: "proto4"), "syntax \"proto4\""),
    ] as [(Google_Protobuf_FileDescriptorProto, String)] {
      let request = Google_Protobuf_Compiler_CodeGeneratorRequest(fileToGenerate: ["t.proto"], protoFile: [file])
      try expect(
        Generator(request).generate(GeneratorSettings()).diagnostics.map(\.description),
        ["t.proto:1:1: error: \(what) is not known; the latest is edition \"2026\""])
    }
  }
}
