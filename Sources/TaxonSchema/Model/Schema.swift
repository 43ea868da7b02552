// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// All files of one run, resolved: fields know their types, errors what they inherit, methods what they raise.
///
/// The nodes are classes because they point at each other; a schema is built, checked and read on one thread.
package final class Schema {
  package internal(set) var files: [SchemaFile] = []
  /// Every declaration by its full name, without a leading dot.
  var symbols: [String: Symbol] = [:]

  enum Symbol {
    case message(SchemaMessage)
    case enumeration(SchemaEnum)
    case service(SchemaService)
    case method
  }

  /// Declarations that the model leaves out, in the order of the sources.
  package internal(set) var omissions: [SchemaOmission] = []

  /// A name in a `raises` option of a generated file stands for nothing in the schema.
  package var hasUnknownRaises: Bool { generatedFiles.contains(where: \.hasUnknownRaises) }

  /// The files to generate code for; the others are there because they are imported.
  package var generatedFiles: [SchemaFile] { files.filter(\.isGenerated) }

  package var allMessages: [SchemaMessage] { files.flatMap(\.allMessages) }

  /// Breaks the reference cycles of messages that contain each other or themselves.
  deinit {
    for message in allMessages { message.fields = [] }
  }
}

/// An extension that the model has no place for: its bytes stay with the unknown fields of the message.
package struct SchemaOmission {
  /// The message set that it extends, whose extensions come in groups of their own kind.
  package var messageSet: SchemaMessage
  package var name: String
  package var place: Place
}

package final class SchemaFile {
  package let path: String
  package let package: String
  /// The edition that `edition = "…"` names; proto2 and proto3 are editions too.
  package let edition: Google_Protobuf_Edition
  /// The features that what is in the file inherits.
  package let features: Google_Protobuf_FeatureSet
  package let isGenerated: Bool
  package let isDeprecated: Bool
  package let dependencies: [String]
  package let sources: SourceMap
  /// The file's descriptor, as protoc made it.
  package let descriptor: Google_Protobuf_FileDescriptorProto
  package internal(set) var taxonomy: Taxonomy?
  var raises: [RaisedName] = []
  /// The errors and categories that `raises` options of the file, of its services and of their methods name.
  var raised: [SchemaMessage] = []
  /// A name in one of those options stands for nothing in the schema.
  var hasUnknownRaises = false
  package internal(set) var messages: [SchemaMessage] = []
  package internal(set) var enums: [SchemaEnum] = []
  package internal(set) var services: [SchemaService] = []
  /// Extensions of messages, at any depth.
  package internal(set) var extensions: [SchemaExtension] = []

  init(
    path: String, package: String, edition: Google_Protobuf_Edition, isGenerated: Bool, isDeprecated: Bool,
    dependencies: [String], sources: SourceMap, descriptor: Google_Protobuf_FileDescriptorProto
  ) {
    self.path = path
    self.package = package
    self.edition = edition
    features = Google_Protobuf_FeatureSet.defaults(of: edition).overridden(by: descriptor.options?.features)
    self.isGenerated = isGenerated
    self.isDeprecated = isDeprecated
    self.dependencies = dependencies
    self.sources = sources
    self.descriptor = descriptor
  }

  /// The place of an import statement; that of the file when it does not import `path`.
  package func place(ofImport path: String) -> Place {
    guard let index = dependencies.firstIndex(of: path) else { return Place(file: self.path) }
    return sources.place([Tag.fileDependency, Int32(index)]).naming("\"\(path)\"")
  }

  /// Messages at any depth, an outer one before those inside it.
  package var allMessages: [SchemaMessage] { messages.flatMap(\.withNested) }

  /// Enums at any depth.
  package var allEnums: [SchemaEnum] { enums + allMessages.flatMap(\.enums) }

  /// The outermost categories and errors.
  package var members: [SchemaMessage] { messages.filter { $0.category != nil || $0.error != nil } }

  /// Errors at any depth, in the order of the file.
  package var errors: [SchemaMessage] { allMessages.filter { $0.error != nil } }
}

package final class SchemaMessage {
  package let name: String
  package let fullName: String
  package unowned let file: SchemaFile
  /// The message that this one is nested in.
  package unowned let parent: SchemaMessage?
  package let path: DescriptorPath
  package let isMapEntry: Bool
  /// `message_set_wire_format`: its extensions come in groups.
  package let isMessageSet: Bool
  package let isDeprecated: Bool
  /// The features that what is in the message inherits.
  package let features: Google_Protobuf_FeatureSet
  package internal(set) var fields: [SchemaField] = []
  package internal(set) var oneofs: [SchemaOneof] = []
  package internal(set) var messages: [SchemaMessage] = []
  package internal(set) var enums: [SchemaEnum] = []
  /// The names that it reserves, which the text format skips.
  package internal(set) var reservedNames: [String] = []
  /// Set when the message is a category.
  package internal(set) var category: DeclaredTraits?
  /// Set when the message is an error.
  package internal(set) var error: ErrorFacts?

  init(
    name: String, fullName: String, file: SchemaFile, parent: SchemaMessage?, path: DescriptorPath, isMapEntry: Bool,
    isMessageSet: Bool, isDeprecated: Bool, features: Google_Protobuf_FeatureSet
  ) {
    self.name = name
    self.fullName = fullName
    self.file = file
    self.parent = parent
    self.path = path
    self.isMapEntry = isMapEntry
    self.isMessageSet = isMessageSet
    self.isDeprecated = isDeprecated
    self.features = features
  }

  package var place: Place { file.sources.place(path + [Tag.name]) }
  package var comment: String? { file.sources.comment(path) }
  package var withNested: [SchemaMessage] { [self] + messages.flatMap(\.withNested) }

  /// The categories around the message, outermost first: as far out as every message around it is one.
  package var categories: [SchemaMessage] {
    guard let parent, parent.category != nil else { return [] }
    return parent.categories + [parent]
  }

  /// The categories and errors directly inside.
  package var members: [SchemaMessage] { messages.filter { $0.category != nil || $0.error != nil } }

  /// The errors of a category, inner categories included, or the error itself.
  package var allErrors: [SchemaMessage] {
    category == nil ? (error == nil ? [] : [self]) : members.flatMap(\.allErrors)
  }
}

package final class SchemaField {
  package let name: String
  package let number: Int32
  /// `json_name`, where it is not the one that protoc derives from the name.
  package let jsonName: String?
  package let type: FieldType
  package let shape: Shape
  package let encoding: Encoding
  /// `[default = …]`, as protoc writes it.
  package let defaultText: String?
  package let isDeprecated: Bool
  package unowned let message: SchemaMessage
  package let path: DescriptorPath
  package internal(set) var rules: Rules?
  /// Its type contains this message through singular fields alone.
  package internal(set) var isRecursive = false

  package enum Shape: Hashable {
    /// Without presence, as proto3 has it: the default value means not set.
    case plain
    /// With presence, not in a oneof.
    case optional
    /// Of proto2, and `LEGACY_REQUIRED` of editions.
    case required
    case repeated(packed: Bool)
    case map
    case oneof(Int)
  }

  /// How a message goes over the wire; `lengthPrefixed` for all other types.
  package enum Encoding: Hashable {
    case lengthPrefixed
    /// Between a tag that begins and one that ends it, as `DELIMITED` of editions.
    case delimited
    /// The same, of a type that is declared in the place of the field and has its name, as groups of proto2 do: the
    /// text format calls the field by the name of the type.
    case group
  }

  package struct Rules {
    package var safety: Safety
    package var violation: Violation
    /// The unit in which the field says how long to wait before a retry; `unspecified` where it does not.
    package var retryAfter: TimeUnit
    package var place: OptionPlace

    static let violationNumber: Int32 = 2
    static let retryAfterNumber: Int32 = 3
  }

  init(
    name: String, number: Int32, jsonName: String?, type: FieldType, shape: Shape, encoding: Encoding,
    defaultText: String?, isDeprecated: Bool, message: SchemaMessage, path: DescriptorPath
  ) {
    self.name = name
    self.number = number
    self.jsonName = jsonName == Field.defaultJSONName(name) ? nil : jsonName
    self.type = type
    self.shape = shape
    self.encoding = encoding
    self.defaultText = defaultText
    self.isDeprecated = isDeprecated
    self.message = message
    self.path = path
  }

  package var place: Place { message.file.sources.place(path + [Tag.name]) }
  package var comment: String? { message.file.sources.comment(path) }
  /// Required, yet unset in a new message, because its message contains itself through required fields alone.
  package var isRequiredCycle: Bool { shape == .required && isRecursive }
  package var safety: Safety { rules?.safety ?? .safe }

  package var isRepeated: Bool {
    if case .repeated = shape { true } else { false }
  }

  package var oneof: SchemaOneof? {
    if case .oneof(let index) = shape { message.oneofs[index] } else { nil }
  }

  /// Key and value of a map field.
  package var mapTypes: (key: FieldType, value: FieldType)? {
    guard shape == .map, case .message(let entry) = type, entry.fields.count == 2 else { return nil }
    return (entry.fields[0].type, entry.fields[1].type)
  }
}

package enum FieldType {
  case scalar(ScalarType)
  case enumeration(SchemaEnum)
  case message(SchemaMessage)
}

package final class SchemaOneof {
  package let name: String
  package unowned let message: SchemaMessage
  package let path: DescriptorPath
  /// Made by protoc for a proto3 optional field.
  package internal(set) var isSynthetic = false

  init(name: String, message: SchemaMessage, path: DescriptorPath) {
    self.name = name
    self.message = message
    self.path = path
  }

  package var place: Place { message.file.sources.place(path + [Tag.name]) }
  package var comment: String? { message.file.sources.comment(path) }
  package var fields: [SchemaField] { message.fields.filter { $0.oneof === self } }
}

package final class SchemaEnum {
  package struct Value {
    package var name: String
    package var number: Int32
    package var isDeprecated: Bool
    package var path: DescriptorPath
  }

  package let name: String
  package let fullName: String
  package unowned let file: SchemaFile
  package unowned let parent: SchemaMessage?
  package let path: DescriptorPath
  package let isDeprecated: Bool
  /// Whether it has only the numbers of its values, as enums of proto2 do.
  package let isClosed: Bool
  package internal(set) var values: [Value] = []

  init(
    name: String, fullName: String, file: SchemaFile, parent: SchemaMessage?, path: DescriptorPath,
    isDeprecated: Bool, features: Google_Protobuf_FeatureSet
  ) {
    self.name = name
    self.fullName = fullName
    self.file = file
    self.parent = parent
    self.path = path
    self.isDeprecated = isDeprecated
    isClosed = features.enumType == .closed
  }

  package func place(of value: Value) -> Place { file.sources.place(value.path + [Tag.name]) }
  package func comment(of value: Value) -> String? { file.sources.comment(value.path) }
  package var place: Place { file.sources.place(path + [Tag.name]) }
  package var comment: String? { file.sources.comment(path) }
}

/// An extension: a field of a message that is declared elsewhere.
package final class SchemaExtension {
  package let field: SchemaField
  package unowned let file: SchemaFile
  /// The message that the declaration is nested in.
  package unowned let scope: SchemaMessage?
  package let fullName: String

  init(field: SchemaField, file: SchemaFile, scope: SchemaMessage?, fullName: String) {
    self.field = field
    self.file = file
    self.scope = scope
    self.fullName = fullName
  }

  /// The message that it extends.
  package var extendee: SchemaMessage { field.message }
  package var place: Place { file.sources.place(field.path + [Tag.name]) }
  package var comment: String? { file.sources.comment(field.path) }
}

package final class SchemaService {
  package let name: String
  package let fullName: String
  package unowned let file: SchemaFile
  package let path: DescriptorPath
  package let isDeprecated: Bool
  var raises: [RaisedName] = []
  package internal(set) var methods: [SchemaMethod] = []

  init(name: String, fullName: String, file: SchemaFile, path: DescriptorPath, isDeprecated: Bool) {
    self.name = name
    self.fullName = fullName
    self.file = file
    self.path = path
    self.isDeprecated = isDeprecated
  }

  package var place: Place { file.sources.place(path + [Tag.name]) }
  package var comment: String? { file.sources.comment(path) }
}

package final class SchemaMethod {
  package enum Idempotency {
    case unknown, noSideEffects, idempotent
  }

  /// Which sides send a stream of messages.
  package enum Kind {
    case unary, clientStreaming, serverStreaming, bidirectional

    package var streamsRequests: Bool { self == .clientStreaming || self == .bidirectional }
    package var streamsResponses: Bool { self == .serverStreaming || self == .bidirectional }
  }

  package let name: String
  package unowned let service: SchemaService
  package let input: SchemaMessage
  package let output: SchemaMessage
  package let kind: Kind
  package let idempotency: Idempotency
  package let path: DescriptorPath
  package let isDeprecated: Bool
  var raises: [RaisedName] = []
  /// What the method raises: its own errors, then those of its service, then those of the file; categories are
  /// expanded.
  package internal(set) var errors: [SchemaMessage] = []
  /// How it is called by REST: the rule of `google.api.http`, then its additional bindings.
  package internal(set) var http: [SchemaHTTPRule] = []

  init(
    name: String, service: SchemaService, input: SchemaMessage, output: SchemaMessage, kind: Kind,
    idempotency: Idempotency, path: DescriptorPath, isDeprecated: Bool
  ) {
    self.name = name
    self.service = service
    self.input = input
    self.output = output
    self.kind = kind
    self.idempotency = idempotency
    self.path = path
    self.isDeprecated = isDeprecated
  }

  package var place: Place { service.file.sources.place(path + [Tag.name]) }
  package var comment: String? { service.file.sources.comment(path) }
}
