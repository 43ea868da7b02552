// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Reads the options of taxon/taxonomy.proto, which arrive as unknown fields of descriptor.proto's options.
enum CustomOptions {
  static func taxonomy(_ options: Google_Protobuf_FileOptions?, _ sources: SourceMap) -> Taxonomy? {
    guard let taxonomy = read(TaxonomyOptions.self, Tag.firstOption, options?.unknownFields) else { return nil }
    return Taxonomy(
      domain: taxonomy.domain, name: taxonomy.name.isEmpty ? nil : taxonomy.name,
      reservedCodes: taxonomy.reservedCodes,
      place: OptionPlace(path: [Tag.fileOptions, Tag.firstOption], sources: sources))
  }

  static func category(
    _ options: Google_Protobuf_MessageOptions?, _ path: DescriptorPath, _ sources: SourceMap
  ) -> DeclaredTraits? {
    guard let category = read(CategoryOptions.self, Tag.firstOption, options?.unknownFields) else { return nil }
    return DeclaredTraits(
      status: category.status, http: category.http, severity: category.severity.declared,
      retry: category.retry.declared, breaker: category.breaker.declared, isRetrySafe: category.safe,
      retryAfter: category.retryAfter,
      place: OptionPlace(path: path + [Tag.messageOptions, Tag.firstOption], sources: sources), numbers: .category)
  }

  static func error(
    _ options: Google_Protobuf_MessageOptions?, name: String, _ path: DescriptorPath, _ sources: SourceMap
  ) -> ErrorFacts? {
    guard let error = read(ErrorOptions.self, Tag.secondOption, options?.unknownFields) else { return nil }
    let declared = DeclaredTraits(
      status: error.status, http: error.http, severity: error.severity.declared, retry: error.retry.declared,
      breaker: error.breaker.declared, isRetrySafe: error.safe, retryAfter: error.retryAfter,
      place: OptionPlace(path: path + [Tag.messageOptions, Tag.secondOption], sources: sources), numbers: .error)
    return ErrorFacts(
      code: error.code.isEmpty ? Words(name).upperSnake : error.code, isCodeDeclared: !error.code.isEmpty,
      template: (try? Template(error.message)) ?? Template(), templateText: error.message, declared: declared)
  }

  static func rules(
    _ options: Google_Protobuf_FieldOptions?, _ path: DescriptorPath, _ sources: SourceMap
  ) -> SchemaField.Rules? {
    guard let rules = read(FieldRules.self, Tag.firstOption, options?.unknownFields) else { return nil }
    return SchemaField.Rules(
      safety: rules.safety == .unspecified ? .safe : rules.safety, violation: rules.violation,
      place: OptionPlace(path: path + [Tag.fieldOptions, Tag.firstOption], sources: sources))
  }

  static func raises(
    _ options: UnknownFields?, _ number: Int32, _ path: DescriptorPath, _ sources: SourceMap
  ) -> [RaisedName] {
    let raises = read(RaisesOptions.self, number, options)
    return (raises?.errors ?? []).map { name in
      RaisedName(name: name, place: sources.place(ofOption: path).naming("\"\(name)\""))
    }
  }

  /// protoc has parsed the options with the same schema: what does not decode comes from another taxonomy.proto, whose
  /// options mean nothing here.
  private static func read<Options: Message>(
    _ type: Options.Type, _ number: Int32, _ unknownFields: UnknownFields?
  ) -> Options? {
    try? unknownFields?.message(UInt32(number), as: type)
  }
}

extension Severity {
  fileprivate var declared: Severity? { self == .unspecified ? nil : self }
}

extension RetryClass {
  fileprivate var declared: RetryClass? { self == .unspecified ? nil : self }
}

extension BreakerClass {
  fileprivate var declared: BreakerClass? { self == .unspecified ? nil : self }
}
