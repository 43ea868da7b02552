// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The editions of schemas. proto2 and proto3 are editions too: descriptor.proto gives them defaults as well.
package enum Editions {
  /// The first edition that the generator reads.
  package static let first = Google_Protobuf_Edition.proto2
  /// The last one. `edition = "UNSTABLE"`, which protoc has for tests of its own, is read too, with the defaults that
  /// descriptor.proto gives the latest edition.
  package static let last = Google_Protobuf_Edition.edition2026

  /// The edition of a file; nil for one that the generator does not read.
  static func edition(of file: Google_Protobuf_FileDescriptorProto) -> Google_Protobuf_Edition? {
    switch file.syntax {
    case nil, "", "proto2": return .proto2
    case "proto3": return .proto3
    case "editions":
      let read = Google_Protobuf_Edition.edition2023.rawValue...last.rawValue
      return file.edition.flatMap { $0 == .unstable || read.contains($0.rawValue) ? $0 : nil }
    default: return nil
    }
  }

  /// What a file says whose edition the generator does not read, such as `edition 99997`.
  static func unread(_ file: Google_Protobuf_FileDescriptorProto) -> String {
    guard file.syntax == "editions" else { return "syntax \"\(file.syntax ?? "")\"" }
    // protoc has no names for those that it does not know.
    let number = file.edition?.rawValue ?? file.unknownFields.varints(14).last.map { Int32(truncatingIfNeeded: $0) }
    return "edition \(number.map { String($0) } ?? "without a number")"
  }
}

extension Google_Protobuf_Edition {
  /// As `edition = "…"` says it, such as `2023`; `PROTO2` and `PROTO3` for those that `syntax` names.
  var text: String { String(description.dropFirst("EDITION_".count)) }
}

extension Google_Protobuf_FeatureSet {
  /// The features of a file that sets none: what `edition_defaults` of the fields of FeatureSet say of its edition, in
  /// the version of descriptor.proto that this package is generated from.
  static func defaults(of edition: Google_Protobuf_Edition) -> Self {
    var encoded: [UInt8] = []
    for (field, defaults) in declaredDefaults {
      // An entry applies from its edition on.
      let applying = defaults.filter { $0.edition <= edition.rawValue }
      guard let latest = applying.max(by: { $0.edition < $1.edition }) else { continue }
      encoded += field.encoded(varint: UInt64(latest.number))
    }
    return (try? Self(decoding: encoded)) ?? Self()
  }

  private static let declaredDefaults: [(field: Field, defaults: [(edition: Int32, number: Int32)])] = {
    let file = try? ProtoFileDescriptor.googleProtobufDescriptor.decoded()
    let declared = file?.messageType.first { $0.name == "FeatureSet" }?.field ?? []
    return declared.compactMap { declared in
      guard let field = descriptor.fields.first(where: { $0.name == declared.name }) else { return nil }
      // All of them are enums.
      let defaults = (declared.options?.editionDefaults ?? []).compactMap { entry in
        field.type.enumType?.descriptor.number(of: entry.value ?? "").map {
          (edition: entry.edition?.rawValue ?? 0, number: $0)
        }
      }
      return (field, defaults)
    }
  }()

  /// These features, where a declaration inside does not set others. They are merged as messages are, extensions
  /// included ("proto merges" of FeatureSetDefaults in descriptor.proto).
  func overridden(by own: Self?) -> Self {
    guard let own, let bytes = try? encoded() + own.encoded() else { return self }
    return (try? Self(decoding: bytes)) ?? self
  }

  /// The features of a field that inherits these. What proto2 and proto3 have words for becomes the feature that
  /// editions have in its place (descriptor.cc, InferLegacyProtoFeatures).
  func overridden(by field: Google_Protobuf_FieldDescriptorProto) -> Self {
    var features = overridden(by: field.options?.features)
    if field.label == .required { features.fieldPresence = .legacyRequired }
    if field.proto3Optional == true { features.fieldPresence = .explicit }
    if field.type == .group { features.messageEncoding = .delimited }
    if let isPacked = field.options?.packed { features.repeatedFieldEncoding = isPacked ? .packed : .expanded }
    return features
  }
}
