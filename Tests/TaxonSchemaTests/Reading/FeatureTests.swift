// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import Testing

@testable import TaxonSchema

/// How the features of editions are found, and what the model makes of them.
@Suite struct FeatureTests {
  private typealias FeatureSet = Google_Protobuf_FeatureSet
  private typealias FieldProto = Google_Protobuf_FieldDescriptorProto

  // The table of protobuf's documentation, "Feature Settings for Editions".
  @Test func theDefaultsAreThoseOfDescriptorProto() {
    let proto2 = FeatureSet(
      fieldPresence: .explicit, enumType: .closed, repeatedFieldEncoding: .expanded, utf8Validation: .init(rawValue: 3),
      messageEncoding: .lengthPrefixed, jsonFormat: .legacyBestEffort, enforceNamingStyle: .styleLegacy,
      defaultSymbolVisibility: .exportAll, enforceProtoLimits: .legacyNoExplicitLimits)
    #expect(FeatureSet.defaults(of: .proto2) == proto2)
    var proto3 = proto2
    proto3.fieldPresence = .implicit
    proto3.enumType = .open
    proto3.repeatedFieldEncoding = .packed
    proto3.utf8Validation = .verify
    proto3.jsonFormat = .allow
    #expect(FeatureSet.defaults(of: .proto3) == proto3)
    var edition = proto3
    edition.fieldPresence = .explicit
    #expect(FeatureSet.defaults(of: .edition2023) == edition)
    edition.enforceNamingStyle = .style2024
    edition.defaultSymbolVisibility = .exportTopLevel
    #expect(FeatureSet.defaults(of: .edition2024) == edition)
    edition.enforceNamingStyle = .style2026
    edition.defaultSymbolVisibility = .strict
    edition.enforceProtoLimits = .protoLimits2026
    #expect(FeatureSet.defaults(of: .edition2026) == edition)
    #expect(FeatureSet.defaults(of: .unstable) == edition)
  }

  @Test func whatIsInsideOverridesWhatIsAround() throws {
    let outer = FeatureSet(fieldPresence: .implicit, enumType: .closed)
    let inner = outer.overridden(by: FeatureSet(enumType: .open, messageEncoding: .delimited))
    #expect(inner == FeatureSet(fieldPresence: .implicit, enumType: .open, messageEncoding: .delimited))
    #expect(outer.overridden(by: FeatureSet?.none) == outer)
  }

  private func schema(_ file: Google_Protobuf_FileDescriptorProto) -> Schema {
    var diagnostics = Diagnostics(files: ["t.proto"], sources: SourceFiles())
    return SchemaBuilder.build([file], generating: ["t.proto"], diagnostics: &diagnostics)
  }

  private func field(
    _ name: String, _ type: FieldProto.Type_, of typeName: String? = nil, _ features: FeatureSet? = nil,
    label: FieldProto.Label = .optional, oneof: Int32? = nil
  ) -> FieldProto {
    FieldProto(
      name: name, number: 1, label: label, type: type, typeName: typeName, oneofIndex: oneof,
      options: features.map { Google_Protobuf_FieldOptions(features: $0) })
  }

  @Test func fieldsInheritFromOneofsMessagesAndFiles() throws {
    let file = Google_Protobuf_FileDescriptorProto(
      name: "t.proto", package: "t",
      messageType: [
        .init(
          name: "M",
          field: [
            field("plain", .int32), field("own", .int32, FeatureSet(fieldPresence: .explicit)),
            field("must", .int32, FeatureSet(fieldPresence: .legacyRequired)),
            field("list", .int32, label: .repeated), field("texts", .string, label: .repeated),
            field("packed", .int32, FeatureSet(repeatedFieldEncoding: .packed), label: .repeated),
            field("message", .message, of: ".t.M"), field("part", .message, of: ".t.M", oneof: 0),
            field("inner", .message, of: ".t.M.Inner", FeatureSet(messageEncoding: .delimited)),
            field("other", .message, of: ".t.M.Inner", FeatureSet(messageEncoding: .delimited)),
            field("m", .message, of: ".t.M", FeatureSet(messageEncoding: .delimited)),
          ],
          nestedType: [
            .init(
              name: "Inner", field: [field("plain", .int32)],
              options: .init(features: FeatureSet(fieldPresence: .explicit)))
          ],
          enumType: [
            .init(
              name: "Open", value: [.init(name: "A", number: 0)], options: .init(features: FeatureSet(enumType: .open))),
            .init(name: "Closed", value: [.init(name: "B", number: 0)]),
          ],
          oneofDecl: [.init(name: "choice", options: .init(features: FeatureSet(messageEncoding: .delimited)))])
      ],
      options: .init(
        features: FeatureSet(fieldPresence: .implicit, enumType: .closed, repeatedFieldEncoding: .expanded)),
      syntax: "editions", edition: .edition2023)
    // The schema breaks its circles when it goes.
    let schema = schema(file)
    let message = try #require(schema.files.first?.messages.first)
    let fields = Dictionary(uniqueKeysWithValues: message.fields.map { ($0.name, $0) })
    #expect(
      fields.mapValues(\.shape) == [
        "plain": .plain, "own": .optional, "must": .required, "list": .repeated(packed: false),
        "texts": .repeated(packed: false), "packed": .repeated(packed: true), "message": .optional, "part": .oneof(0),
        "inner": .optional, "other": .optional, "m": .optional,
      ])
    #expect(message.messages.first?.fields.first?.shape == .optional)
    #expect(message.enums.map(\.isClosed) == [false, true])
    #expect(fields["message"]?.encoding == .lengthPrefixed)
    // A group is a type of the field's name, declared beside it.
    #expect(fields["part"]?.encoding == .delimited && fields["other"]?.encoding == .delimited)
    #expect(fields["inner"]?.encoding == .group && fields["m"]?.encoding == .delimited)
  }

  @Test(arguments: ["proto2", "proto3"])
  func proto2AndProto3GoTheSameWay(syntax: String) throws {
    let isProto3 = syntax == "proto3"
    var fields = [field("plain", .int32), field("list", .int32, label: .repeated)]
    fields.append(
      FieldProto(
        name: "packed", number: 3, label: .repeated, type: .int32, options: .init(packed: !isProto3)))
    if isProto3 {
      fields.append(
        FieldProto(name: "asked", number: 4, label: .optional, type: .int32, oneofIndex: 0, proto3Optional: true))
    } else {
      fields += [field("must", .int32, label: .required), field("group", .group, of: ".t.M.Group")]
    }
    let file = Google_Protobuf_FileDescriptorProto(
      name: "t.proto", package: "t",
      messageType: [
        .init(
          name: "M", field: fields, nestedType: [.init(name: "Group")],
          oneofDecl: isProto3 ? [.init(name: "_asked")] : [])
      ],
      enumType: [.init(name: "E", value: [.init(name: "A", number: 0)])], syntax: syntax)
    let schema = schema(file)
    let node = try #require(schema.files.first)
    let shapes = node.messages[0].fields.map(\.shape)
    if isProto3 {
      #expect(shapes == [.plain, .repeated(packed: true), .repeated(packed: false), .optional])
    } else {
      #expect(shapes == [.optional, .repeated(packed: false), .repeated(packed: true), .required, .optional])
      #expect(node.messages[0].fields.last?.encoding == .group)
    }
    #expect(node.enums[0].isClosed == !isProto3)
    #expect(try schema.json().contains("\"syntax\" : \"\(syntax)\""))
  }

  @Test func mapsAndTheirValuesStayLengthPrefixed() throws {
    let entry = Google_Protobuf_DescriptorProto(
      name: "MapEntry", field: [field("key", .string), field("value", .message, of: ".t.M")],
      options: .init(mapEntry: true))
    let file = Google_Protobuf_FileDescriptorProto(
      name: "t.proto", package: "t",
      messageType: [
        .init(name: "M", field: [field("map", .message, of: ".t.M.MapEntry", label: .repeated)], nestedType: [entry])
      ],
      options: .init(features: FeatureSet(messageEncoding: .delimited)), syntax: "editions", edition: .edition2024)
    let schema = schema(file)
    let message = try #require(schema.files.first?.messages.first)
    #expect(message.fields[0].shape == .map && message.fields[0].encoding == .lengthPrefixed)
    #expect(message.messages[0].fields.allSatisfy { $0.encoding == .lengthPrefixed })
    let json = try schema.json()
    #expect(json.contains("\"syntax\" : \"editions\"") && json.contains("\"edition\" : \"2024\""))
  }
}
