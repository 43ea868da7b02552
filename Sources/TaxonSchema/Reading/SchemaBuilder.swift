// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Turns descriptors into a schema: first every type by its name, then what refers to types.
package struct SchemaBuilder {
  private let schema = Schema()
  private var messages: [(node: SchemaMessage, descriptor: Google_Protobuf_DescriptorProto)] = []
  private var diagnostics: Diagnostics

  /// Builds the schema of a run. `importable` has schemas that the run could import: mistakes in `raises` name them.
  package static func build(
    _ files: [Google_Protobuf_FileDescriptorProto], generating: Set<String>, importable: Schema? = nil,
    diagnostics: inout Diagnostics
  ) -> Schema {
    var builder = SchemaBuilder(diagnostics: diagnostics)
    for file in files { builder.addTypes(of: file, isGenerated: generating.contains(file.name ?? "")) }
    for (node, descriptor) in builder.messages { builder.fill(node, descriptor) }
    for (node, file) in zip(builder.schema.files, files) {
      builder.addExtensions(file.extension, to: node, in: nil, [Tag.fileExtension])
    }
    for (node, descriptor) in builder.messages {
      builder.addExtensions(descriptor.extension, to: node.file, in: node, node.path + [Tag.messageExtension])
    }
    for (node, file) in zip(builder.schema.files, files) { builder.addServices(of: file, to: node) }
    Recursion.mark(builder.schema, &builder.diagnostics)
    RaisesResolver.resolve(builder.schema, importable: importable, &builder.diagnostics)
    diagnostics = builder.diagnostics
    return builder.schema
  }

  private init(diagnostics: Diagnostics) { self.diagnostics = diagnostics }

  // MARK: Types

  private mutating func addTypes(of file: Google_Protobuf_FileDescriptorProto, isGenerated: Bool) {
    let sources = SourceMap(file)
    let edition = Editions.edition(of: file)
    let node = SchemaFile(
      path: file.name ?? "", package: file.package ?? "", edition: edition ?? Editions.last, isGenerated: isGenerated,
      isDeprecated: file.options?.deprecated ?? false, dependencies: file.dependency, sources: sources,
      descriptor: file)
    schema.files.append(node)
    if isGenerated, edition == nil {
      diagnostics.error(
        sources.place([Tag.fileSyntax]),
        "\(Editions.unread(file)) is not known; the latest is edition \"\(Editions.last.text)\"")
    }
    node.taxonomy = CustomOptions.taxonomy(file.options, sources)
    node.raises = CustomOptions.raises(
      file.options?.unknownFields, Tag.secondOption, [Tag.fileOptions, Tag.secondOption], sources)
    for (index, message) in file.messageType.enumerated() {
      node.messages.append(add(message, to: node, in: nil, [Tag.fileMessage, Int32(index)]))
    }
    for (index, enumeration) in file.enumType.enumerated() {
      node.enums.append(add(enumeration, to: node, in: nil, [Tag.fileEnum, Int32(index)]))
    }
  }

  private mutating func add(
    _ descriptor: Google_Protobuf_DescriptorProto, to file: SchemaFile, in parent: SchemaMessage?,
    _ path: DescriptorPath
  ) -> SchemaMessage {
    let name = descriptor.name ?? ""
    let node = SchemaMessage(
      name: name, fullName: qualified(name, parent?.fullName ?? file.package), file: file, parent: parent, path: path,
      isMapEntry: descriptor.options?.mapEntry ?? false,
      isMessageSet: descriptor.options?.messageSetWireFormat ?? false,
      isDeprecated: descriptor.options?.$deprecated ?? (parent == nil && file.isDeprecated),
      features: (parent?.features ?? file.features).overridden(by: descriptor.options?.features))
    schema.symbols[node.fullName] = .message(node)
    node.category = CustomOptions.category(descriptor.options, path, file.sources)
    node.error = CustomOptions.error(descriptor.options, name: name, path, file.sources)
    messages.append((node, descriptor))
    for (index, nested) in descriptor.nestedType.enumerated() {
      node.messages.append(add(nested, to: file, in: node, path + [Tag.messageNested, Int32(index)]))
    }
    for (index, enumeration) in descriptor.enumType.enumerated() {
      node.enums.append(add(enumeration, to: file, in: node, path + [Tag.messageEnum, Int32(index)]))
    }
    return node
  }

  private func add(
    _ descriptor: Google_Protobuf_EnumDescriptorProto, to file: SchemaFile, in parent: SchemaMessage?,
    _ path: DescriptorPath
  ) -> SchemaEnum {
    let name = descriptor.name ?? ""
    let node = SchemaEnum(
      name: name, fullName: qualified(name, parent?.fullName ?? file.package), file: file, parent: parent, path: path,
      isDeprecated: descriptor.options?.$deprecated ?? (parent == nil && file.isDeprecated),
      features: (parent?.features ?? file.features).overridden(by: descriptor.options?.features))
    node.values = descriptor.value.enumerated().map { index, value in
      SchemaEnum.Value(
        name: value.name ?? "", number: value.number ?? 0, isDeprecated: value.options?.deprecated ?? false,
        path: path + [Tag.enumValue, Int32(index)])
    }
    schema.symbols[node.fullName] = .enumeration(node)
    return node
  }

  // MARK: Fields

  private func fill(_ node: SchemaMessage, _ descriptor: Google_Protobuf_DescriptorProto) {
    node.oneofs = descriptor.oneofDecl.enumerated().map { index, oneof in
      SchemaOneof(name: oneof.name ?? "", message: node, path: node.path + [Tag.messageOneof, Int32(index)])
    }
    node.reservedNames = descriptor.reservedName
    for (index, field) in descriptor.field.enumerated() {
      let path = node.path + [Tag.messageField, Int32(index)]
      if field.proto3Optional == true, let oneof = field.oneofIndex, node.oneofs.indices.contains(Int(oneof)) {
        node.oneofs[Int(oneof)].isSynthetic = true
      }
      var scope = FieldScope(file: node.file, message: node, features: node.features)
      if let oneof = field.oneofIndex, descriptor.oneofDecl.indices.contains(Int(oneof)) {
        scope.features = node.features.overridden(by: descriptor.oneofDecl[Int(oneof)].options?.features)
      }
      guard let field = makeField(field, of: node, in: scope, path) else { continue }
      field.rules = CustomOptions.rules(descriptor.field[index].options, path, node.file.sources)
      node.fields.append(field)
    }
  }

  /// Where a field is declared.
  private struct FieldScope {
    var file: SchemaFile
    /// The message around the declaration; for an extension, not the one that it extends.
    var message: SchemaMessage?
    /// What the field inherits.
    var features: Google_Protobuf_FeatureSet
  }

  /// A field of `message`.
  private func makeField(
    _ field: Google_Protobuf_FieldDescriptorProto, of message: SchemaMessage, in scope: FieldScope,
    _ path: DescriptorPath
  ) -> SchemaField? {
    guard let type = type(of: field) else { return nil }
    var scope = scope
    scope.features = scope.features.overridden(by: field)
    return SchemaField(
      name: field.name ?? "", number: field.number ?? 0, jsonName: field.jsonName, type: type,
      shape: shape(of: field, type, message, scope.features), encoding: encoding(of: field, type, message, scope),
      defaultText: field.defaultValue, isDeprecated: field.options?.deprecated ?? false, message: message, path: path)
  }

  private func addExtensions(
    _ extensions: [Google_Protobuf_FieldDescriptorProto], to file: SchemaFile, in scope: SchemaMessage?,
    _ list: DescriptorPath
  ) {
    for (index, descriptor) in extensions.enumerated() {
      let path = list + [Int32(index)]
      guard case .message(let extendee) = symbol(descriptor.extendee) else { continue }
      if extendee.isMessageSet {
        let place = file.sources.place(path + [Tag.name])
        schema.omissions.append(
          SchemaOmission(messageSet: extendee, name: descriptor.name ?? "", place: place))
        continue
      }
      let surroundings = FieldScope(file: file, message: scope, features: scope?.features ?? file.features)
      guard let field = makeField(descriptor, of: extendee, in: surroundings, path) else { continue }
      let fullName = qualified(field.name, scope?.fullName ?? file.package)
      file.extensions.append(SchemaExtension(field: field, file: file, scope: scope, fullName: fullName))
    }
  }

  private func type(of field: Google_Protobuf_FieldDescriptorProto) -> FieldType? {
    switch field.type {
    case .double: .scalar(.double)
    case .float: .scalar(.float)
    case .int64: .scalar(.int64)
    case .uint64: .scalar(.uint64)
    case .int32: .scalar(.int32)
    case .fixed64: .scalar(.fixed64)
    case .fixed32: .scalar(.fixed32)
    case .bool: .scalar(.bool)
    case .string: .scalar(.string)
    case .bytes: .scalar(.bytes)
    case .uint32: .scalar(.uint32)
    case .sfixed32: .scalar(.sfixed32)
    case .sfixed64: .scalar(.sfixed64)
    case .sint32: .scalar(.sint32)
    case .sint64: .scalar(.sint64)
    case .message, .group, .enum:
      switch symbol(field.typeName) {
      case .message(let message): .message(message)
      case .enumeration(let enumeration): .enumeration(enumeration)
      default: nil
      }
    case nil: nil
    }
  }

  private func shape(
    of field: Google_Protobuf_FieldDescriptorProto, _ type: FieldType, _ message: SchemaMessage,
    _ features: Google_Protobuf_FeatureSet
  ) -> SchemaField.Shape {
    if field.label == .repeated {
      if case .message(let message) = type { return message.isMapEntry ? .map : .repeated(packed: false) }
      if case .scalar(.string) = type { return .repeated(packed: false) }
      if case .scalar(.bytes) = type { return .repeated(packed: false) }
      return .repeated(packed: features.repeatedFieldEncoding == .packed)
    }
    // protoc's index is valid; another program's may not be.
    if let oneof = field.oneofIndex, field.proto3Optional != true, message.oneofs.indices.contains(Int(oneof)) {
      return .oneof(Int(oneof))
    }
    // An extension has presence, and is never required, whatever it inherits.
    let isExtension = field.extendee != nil
    if features.fieldPresence == .legacyRequired, !isExtension { return .required }
    if case .message = type { return .optional }
    return features.fieldPresence == .implicit && !isExtension ? .plain : .optional
  }

  /// Maps and the values in them are length-prefixed, whatever the features say (descriptor.h, FieldDescriptor::type).
  private func encoding(
    of field: Google_Protobuf_FieldDescriptorProto, _ type: FieldType, _ message: SchemaMessage, _ scope: FieldScope
  ) -> SchemaField.Encoding {
    guard case .message(let inner) = type, scope.features.messageEncoding == .delimited, !inner.isMapEntry,
      !message.isMapEntry
    else { return .lengthPrefixed }
    let isBeside = inner.file === scope.file && inner.parent === scope.message
    return isBeside && inner.name.lowercased() == field.name ? .group : .delimited
  }

  /// The declaration that a descriptor's type name stands for; protoc has resolved it and put a dot before it.
  private func symbol(_ typeName: String?) -> Schema.Symbol? {
    schema.symbols[String((typeName ?? "").drop { $0 == "." })]
  }

  // MARK: Services

  private func addServices(of file: Google_Protobuf_FileDescriptorProto, to node: SchemaFile) {
    for (index, descriptor) in file.service.enumerated() {
      let path = [Tag.fileService, Int32(index)]
      let name = descriptor.name ?? ""
      let service = SchemaService(
        name: name, fullName: qualified(name, node.package), file: node, path: path,
        isDeprecated: descriptor.options?.$deprecated ?? node.isDeprecated)
      service.raises = CustomOptions.raises(
        descriptor.options?.unknownFields, Tag.firstOption, path + [Tag.serviceOptions, Tag.firstOption], node.sources)
      schema.symbols[service.fullName] = .service(service)
      for (index, method) in descriptor.method.enumerated() {
        add(method, to: service, path + [Tag.serviceMethod, Int32(index)])
      }
      node.services.append(service)
    }
  }

  private func add(
    _ descriptor: Google_Protobuf_MethodDescriptorProto, to service: SchemaService, _ path: DescriptorPath
  ) {
    guard case .message(let input) = symbol(descriptor.inputType),
      case .message(let output) = symbol(descriptor.outputType)
    else { return }
    let method = SchemaMethod(
      name: descriptor.name ?? "", service: service, input: input, output: output,
      kind: kind(of: descriptor), idempotency: idempotency(of: descriptor), path: path,
      isDeprecated: descriptor.options?.deprecated ?? false)
    method.raises = CustomOptions.raises(
      descriptor.options?.unknownFields, Tag.firstOption, path + [Tag.methodOptions, Tag.firstOption],
      service.file.sources)
    method.http = CustomOptions.http(descriptor.options, path, service.file.sources)
    schema.symbols[qualified(method.name, service.fullName)] = .method
    service.methods.append(method)
  }

  private func kind(of method: Google_Protobuf_MethodDescriptorProto) -> SchemaMethod.Kind {
    switch (method.clientStreaming, method.serverStreaming) {
    case (false, false): .unary
    case (true, false): .clientStreaming
    case (false, true): .serverStreaming
    case (true, true): .bidirectional
    }
  }

  private func idempotency(of method: Google_Protobuf_MethodDescriptorProto) -> SchemaMethod.Idempotency {
    switch method.options?.idempotencyLevel {
    case .noSideEffects: .noSideEffects
    case .idempotent: .idempotent
    default: .unknown
    }
  }

  private func qualified(_ name: String, _ scope: String) -> String { scope.isEmpty ? name : "\(scope).\(name)" }
}

/// Reads the options of taxon/taxonomy.proto and google/api/annotations.proto, which arrive as unknown fields of descriptor.proto's options.
private enum CustomOptions {
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
    let place = OptionPlace(path: path + [Tag.messageOptions, Tag.firstOption], sources: sources)
    return DeclaredTraits(
      status: category.status, http: category.http, severity: category.severity.declared,
      retry: category.retry.declared, breaker: category.breaker.declared, isRetrySafe: category.safe,
      retryAfter: category.retryAfter,
      details: DetailTemplates(
        resource: category.resource, quota: category.quota, preconditions: category.precondition, help: category.help,
        localized: category.localized, place),
      place: place, numbers: .category)
  }

  static func error(
    _ options: Google_Protobuf_MessageOptions?, name: String, _ path: DescriptorPath, _ sources: SourceMap
  ) -> ErrorFacts? {
    guard let error = read(ErrorOptions.self, Tag.secondOption, options?.unknownFields) else { return nil }
    let place = OptionPlace(path: path + [Tag.messageOptions, Tag.secondOption], sources: sources)
    let declared = DeclaredTraits(
      status: error.status, http: error.http, severity: error.severity.declared, retry: error.retry.declared,
      breaker: error.breaker.declared, isRetrySafe: error.safe, retryAfter: error.retryAfter,
      details: DetailTemplates(
        resource: error.resource, quota: error.quota, preconditions: error.precondition, help: error.help,
        localized: error.localized, place),
      place: place, numbers: .error)
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
      retryAfter: rules.retryAfter,
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

  static func http(
    _ options: Google_Protobuf_MethodOptions?, _ path: DescriptorPath, _ sources: SourceMap
  ) -> [SchemaHTTPRule] {
    guard let rule = read(Google_Api_HttpRule.self, Tag.httpOption, options?.unknownFields) else { return [] }
    return SchemaHTTPRule.all(
      rule, OptionPlace(path: path + [Tag.methodOptions, Tag.httpOption], sources: sources))
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
