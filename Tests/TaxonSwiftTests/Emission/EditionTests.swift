// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonSchema
import Testing

@testable import TaxonSwift

/// What files of editions say of their Swift. The descriptors are made here: not every protoc knows editions.
@Suite struct EditionTests {
  private func file(
    _ name: String, _ access: SwiftFeatures.Access? = nil, imports: [String] = [], field type: String? = nil
  ) -> Google_Protobuf_FileDescriptorProto {
    var features = Google_Protobuf_FeatureSet()
    features.swift = access.map { SwiftFeatures(access: $0) }
    let fields = type.map {
      [Google_Protobuf_FieldDescriptorProto(name: "field", number: 1, label: .optional, type: .message, typeName: $0)]
    }
    return Google_Protobuf_FileDescriptorProto(
      name: "\(name).proto", dependency: imports, optionDependency: ["taxon/swift_features.proto"],
      messageType: [.init(name: name.uppercased(), field: fields ?? [])],
      options: .init(features: features), syntax: "editions", edition: .edition2024)
  }

  private func outcome(
    _ files: [Google_Protobuf_FileDescriptorProto], _ settings: GeneratorSettings = GeneratorSettings()
  ) -> Generator.Outcome {
    Generator(.init(fileToGenerate: files.compactMap(\.name), protoFile: files)).generate(settings)
  }

  @Test(
    arguments: [
      (SwiftFeatures.Access.public, GeneratorSettings.Access.internal, "public struct A: Message {"),
      (.package, .public, "package struct A: Message {"), (.internal, .public, "\nstruct A: Message {"),
      (.unspecified, .public, "public struct A: Message {"), (nil, .package, "package struct A: Message {"),
    ] as [(SwiftFeatures.Access?, GeneratorSettings.Access, String)])
  func theFilesOwnAccessCountsMoreThanTheSettings(
    own: SwiftFeatures.Access?, set: GeneratorSettings.Access, head: String
  ) throws {
    var settings = GeneratorSettings()
    settings.access = set
    let outcome = outcome([file("a", own)], settings)
    #expect(outcome.diagnostics.isEmpty)
    let swift = try #require(outcome.files.first).content
    #expect(swift.contains(head))
    #expect(swift.contains("public import Taxon") == head.hasPrefix("public"))
  }

  @Test func whatIsShownMayNotBeHiddenElsewhere() throws {
    let files = [file("b", .internal), file("a", .public, imports: ["b.proto"], field: ".B")]
    try expect(
      outcome(files).diagnostics.map(\.description),
      [
        """
        a.proto:1:1: error: the generated code is public and needs the types of "b.proto", which are internal; say the \
        same features.(taxon.swift).access in both files
        """
      ])
    #expect(outcome([file("b", .public), file("a", imports: ["b.proto"], field: ".B")]).diagnostics.isEmpty)
  }

  @Test func anImportForOptionsAloneIsNoDependency() throws {
    var settings = GeneratorSettings()
    settings.access = .public
    let swift = try #require(outcome([file("a", .public)], settings).files.first).content
    #expect(swift.contains("ProtoFileDescriptor("))
    #expect(!swift.contains("dependencies:"))
  }
}
