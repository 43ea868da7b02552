// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonProtobuf

extension Schema {
  /// The model as JSON, for generators outside of this package and for inspection: what errors inherit and methods
  /// raise is resolved. The same schema gives the same text. Without `imports` it has only the files to generate. What
  /// is false, empty or unset is left out.
  package func json(imports: Bool = false) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let files = imports ? files : generatedFiles
    return String(decoding: try encoder.encode(["files": files.map(FileForm.init)]), as: UTF8.self)
  }
}

private struct FileForm: Encodable {
  var path: String
  var package: String
  /// "proto2", "proto3" or "editions".
  var syntax: String
  /// As `edition = "…"` says it.
  var edition: String?
  var isGenerated: Bool
  var imports: [String]?
  var taxonomy: TaxonomyForm?
  var messages: [MessageForm]?
  var enums: [EnumForm]?
  var services: [ServiceForm]?
  var extensions: [ExtensionForm]?

  struct TaxonomyForm: Encodable {
    var domain: String
    var name: String?
    var reservedCodes: [String]?
  }

  init(_ file: SchemaFile) {
    path = file.path
    package = file.package
    let isEdition = ![.proto2, .proto3].contains(file.edition)
    syntax = isEdition ? "editions" : file.edition.text.lowercased()
    edition = isEdition ? file.edition.text : nil
    isGenerated = file.isGenerated
    imports = file.dependencies.unlessEmpty
    taxonomy = file.taxonomy.map {
      TaxonomyForm(domain: $0.domain, name: $0.name, reservedCodes: $0.reservedCodes.unlessEmpty)
    }
    messages = file.messages.map(MessageForm.init).unlessEmpty
    enums = file.enums.map(EnumForm.init).unlessEmpty
    services = file.services.map(ServiceForm.init).unlessEmpty
    extensions = file.extensions.map(ExtensionForm.init).unlessEmpty
  }
}

private struct MessageForm: Encodable {
  var name: String
  var fullName: String
  var comment: String?
  var isDeprecated: Bool?
  var isCategory: Bool?
  var error: ErrorForm?
  var fields: [FieldForm]?
  var messages: [MessageForm]?
  var enums: [EnumForm]?

  init(_ message: SchemaMessage) {
    name = message.name
    fullName = message.fullName
    comment = message.comment
    isDeprecated = message.isDeprecated.ifTrue
    isCategory = (message.category != nil).ifTrue
    error = ErrorForm(message)
    fields = message.fields.map(FieldForm.init).unlessEmpty
    messages = message.messages.filter { !$0.isMapEntry }.map(MessageForm.init).unlessEmpty
    enums = message.enums.map(EnumForm.init).unlessEmpty
  }
}

/// The traits of an error, with what it inherits.
private struct ErrorForm: Encodable {
  var code: String
  var message: String
  var status: String
  var httpStatus: Int32
  var severity: String
  var retry: String
  var breaker: String
  var isRetrySafe: Bool?
  var retryAfter: DurationForm?
  /// The field that says how long to wait before a retry; its unit stands there.
  var retryAfterField: String?
  var details: DetailsForm?

  struct DurationForm: Encodable {
    var seconds: Int64
    var nanos: Int32
  }

  /// Nil for what is not an error, or has no status, which is a mistake.
  init?(_ message: SchemaMessage) {
    guard let error = message.error, let traits = message.traits else { return nil }
    code = error.code
    self.message = message.template.source
    status = traits.status.description
    httpStatus = traits.http
    severity = traits.severity.description
    retry = traits.retry.description
    breaker = traits.breaker.description
    isRetrySafe = traits.isRetrySafe.ifTrue
    retryAfter = traits.retryAfter.map { DurationForm(seconds: $0.seconds, nanos: $0.nanos) }
    retryAfterField = message.retryAfterField?.field.name
    details = message.detailTemplates.isEmpty ? nil : DetailsForm(message.detailTemplates)
  }
}

private struct FieldForm: Encodable {
  var name: String
  var number: Int32
  var jsonName: String?
  var comment: String?
  var isDeprecated: Bool?
  /// For a map, the type of its values.
  var type: TypeForm
  /// For a map, the type of its keys.
  var keyType: TypeForm?
  /// "plain" has no presence: its default value means not set.
  var shape: String
  var isPacked: Bool?
  /// Whether the message comes between tags, as groups and `DELIMITED` fields do.
  var isDelimited: Bool?
  var oneof: String?
  var defaultValue: String?
  var isRecursive: Bool?
  var safety: String?
  var violation: String?
  var retryAfter: String?

  init(_ field: SchemaField) {
    name = field.name
    number = field.number
    jsonName = field.jsonName
    comment = field.comment
    isDeprecated = field.isDeprecated.ifTrue
    type = TypeForm(field.mapTypes?.value ?? field.type)
    keyType = (field.mapTypes?.key).map(TypeForm.init)
    switch field.shape {
    case .plain: shape = "plain"
    case .optional: shape = "optional"
    case .required: shape = "required"
    case .map: shape = "map"
    case .oneof: shape = "oneof"
    case .repeated(let packed):
      shape = "repeated"
      isPacked = packed.ifTrue
    }
    isDelimited = (field.encoding != .lengthPrefixed).ifTrue
    oneof = field.oneof?.name
    defaultValue = field.defaultText
    isRecursive = field.isRecursive.ifTrue
    safety = field.rules?.safety.description
    violation = field.rules.flatMap { $0.violation == .unspecified ? nil : $0.violation.description }
    retryAfter = field.rules.flatMap { $0.retryAfter == .unspecified ? nil : $0.retryAfter.description }
  }
}

/// One of the three: a scalar type by protobuf's name for it, or the full name of an enum or message.
private struct TypeForm: Encodable {
  var scalar: String?
  var `enum`: String?
  var message: String?

  init(_ type: FieldType) {
    switch type {
    case .scalar(let type): scalar = type.rawValue
    case .enumeration(let type): self.enum = type.fullName
    case .message(let type): message = type.fullName
    }
  }
}

private struct EnumForm: Encodable {
  var name: String
  var fullName: String
  var comment: String?
  var isDeprecated: Bool?
  var isClosed: Bool?
  var values: [Value]

  struct Value: Encodable {
    var name: String
    var number: Int32
    var comment: String?
    var isDeprecated: Bool?
  }

  init(_ enumeration: SchemaEnum) {
    name = enumeration.name
    fullName = enumeration.fullName
    comment = enumeration.comment
    isDeprecated = enumeration.isDeprecated.ifTrue
    isClosed = enumeration.isClosed.ifTrue
    values = enumeration.values.map {
      Value(
        name: $0.name, number: $0.number, comment: enumeration.comment(of: $0), isDeprecated: $0.isDeprecated.ifTrue)
    }
  }
}

private struct ServiceForm: Encodable {
  var name: String
  var fullName: String
  var comment: String?
  var isDeprecated: Bool?
  var methods: [MethodForm]?

  init(_ service: SchemaService) {
    name = service.name
    fullName = service.fullName
    comment = service.comment
    isDeprecated = service.isDeprecated.ifTrue
    methods = service.methods.map(MethodForm.init).unlessEmpty
  }
}

private struct MethodForm: Encodable {
  var name: String
  var comment: String?
  var isDeprecated: Bool?
  var input: String
  var output: String
  var streamsRequests: Bool?
  var streamsResponses: Bool?
  /// "idempotent" or "noSideEffects".
  var idempotency: String?
  /// Full names; categories are expanded.
  var raises: [String]?
  var http: [HTTPRuleForm]?

  struct HTTPRuleForm: Encodable {
    var verb: String
    var path: String
    var body: String?
    var responseBody: String?

    init(_ rule: SchemaHTTPRule) {
      verb = rule.verb
      path = rule.template
      body = rule.body.isEmpty ? nil : rule.body
      responseBody = rule.responseBody.isEmpty ? nil : rule.responseBody
    }
  }

  init(_ method: SchemaMethod) {
    name = method.name
    comment = method.comment
    isDeprecated = method.isDeprecated.ifTrue
    input = method.input.fullName
    output = method.output.fullName
    streamsRequests = method.kind.streamsRequests.ifTrue
    streamsResponses = method.kind.streamsResponses.ifTrue
    idempotency =
      switch method.idempotency {
      case .unknown: nil
      case .idempotent: "idempotent"
      case .noSideEffects: "noSideEffects"
      }
    raises = method.errors.map(\.fullName).unlessEmpty
    http = method.http.map(HTTPRuleForm.init).unlessEmpty
  }
}

private struct ExtensionForm: Encodable {
  var fullName: String
  /// The full name of the message that it extends.
  var extendee: String
  var field: FieldForm

  init(_ extended: SchemaExtension) {
    fullName = extended.fullName
    extendee = extended.extendee.fullName
    field = FieldForm(extended.field)
    field.comment = extended.comment
  }
}

extension Array {
  fileprivate var unlessEmpty: Self? { isEmpty ? nil : self }
}

extension Bool {
  fileprivate var ifTrue: Bool? { self ? true : nil }
}
