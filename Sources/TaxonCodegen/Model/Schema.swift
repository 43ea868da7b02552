// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// All files of one run, resolved: fields know their types, errors what they inherit, methods what they raise.
///
/// The nodes are classes because they point at each other; a schema is built, checked and read on one thread.
final class Schema {
  var files: [SchemaFile] = []
  /// Every declaration by its full name, without a leading dot.
  var symbols: [String: Symbol] = [:]

  enum Symbol {
    case message(SchemaMessage)
    case enumeration(SchemaEnum)
    case service(SchemaService)
    case method
  }

  /// The files to generate code for; the others are there because they are imported.
  var generatedFiles: [SchemaFile] { files.filter(\.isGenerated) }

  var allMessages: [SchemaMessage] { files.flatMap(\.allMessages) }

  /// Messages that contain each other, or themselves, hold each other through their fields.
  deinit {
    for message in allMessages { message.fields = [] }
  }
}

final class SchemaFile {
  let path: String
  let package: String
  let isProto3: Bool
  let isGenerated: Bool
  let isDeprecated: Bool
  /// `option swift_prefix`, empty when it says so, nil when it says nothing.
  let swiftPrefix: String?
  let dependencies: [String]
  let sources: SourceMap
  /// What protoc says of the file.
  let descriptor: Google_Protobuf_FileDescriptorProto
  var taxonomy: Taxonomy?
  var raises: [RaisedName] = []
  var messages: [SchemaMessage] = []
  var enums: [SchemaEnum] = []
  var services: [SchemaService] = []
  /// Extensions of messages, at any depth.
  var extensions: [SchemaExtension] = []

  init(
    path: String, package: String, isProto3: Bool, isGenerated: Bool, isDeprecated: Bool, swiftPrefix: String?,
    dependencies: [String], sources: SourceMap, descriptor: Google_Protobuf_FileDescriptorProto
  ) {
    self.path = path
    self.package = package
    self.isProto3 = isProto3
    self.isGenerated = isGenerated
    self.isDeprecated = isDeprecated
    self.swiftPrefix = swiftPrefix
    self.dependencies = dependencies
    self.sources = sources
    self.descriptor = descriptor
  }

  /// Messages at any depth, an outer one before those inside it.
  var allMessages: [SchemaMessage] { messages.flatMap(\.withNested) }

  /// Enums at any depth.
  var allEnums: [SchemaEnum] { enums + allMessages.flatMap(\.enums) }

  /// The outermost categories and errors.
  var members: [SchemaMessage] { messages.filter { $0.category != nil || $0.error != nil } }

  /// Errors at any depth, in the order of the file.
  var errors: [SchemaMessage] { allMessages.filter { $0.error != nil } }
}

final class SchemaMessage {
  let name: String
  let fullName: String
  unowned let file: SchemaFile
  /// The message that this one is nested in.
  unowned let parent: SchemaMessage?
  let path: DescriptorPath
  let isMapEntry: Bool
  /// `message_set_wire_format`: its extensions come in groups.
  let isMessageSet: Bool
  let isDeprecated: Bool
  var fields: [SchemaField] = []
  var oneofs: [SchemaOneof] = []
  var messages: [SchemaMessage] = []
  var enums: [SchemaEnum] = []
  /// Set when the message is a category.
  var category: DeclaredTraits?
  /// Set when the message is an error.
  var error: ErrorFacts?

  init(
    name: String, fullName: String, file: SchemaFile, parent: SchemaMessage?, path: DescriptorPath, isMapEntry: Bool,
    isMessageSet: Bool, isDeprecated: Bool
  ) {
    self.name = name
    self.fullName = fullName
    self.file = file
    self.parent = parent
    self.path = path
    self.isMapEntry = isMapEntry
    self.isMessageSet = isMessageSet
    self.isDeprecated = isDeprecated
  }

  var place: Place { file.sources.place(path + [Tag.name]) }
  var comment: String? { file.sources.comment(path) }
  var withNested: [SchemaMessage] { [self] + messages.flatMap(\.withNested) }

  /// The categories around the message, outermost first: as far out as every message around it is one.
  var categories: [SchemaMessage] {
    guard let parent, parent.category != nil else { return [] }
    return parent.categories + [parent]
  }

  /// The categories and errors directly inside.
  var members: [SchemaMessage] { messages.filter { $0.category != nil || $0.error != nil } }

  /// The errors of a category, inner categories included, or the error itself.
  var allErrors: [SchemaMessage] { category == nil ? (error == nil ? [] : [self]) : members.flatMap(\.allErrors) }
}

final class SchemaField {
  let name: String
  let number: Int32
  let jsonName: String?
  let type: FieldType
  let shape: Shape
  /// `[default = …]`, as protoc writes it.
  let defaultText: String?
  let isDeprecated: Bool
  unowned let message: SchemaMessage
  let path: DescriptorPath
  var rules: Rules?
  /// Refers to a message that contains this one by way of singular fields alone.
  var isRecursive = false
  /// Kept on the heap: it is recursive, or too large to lie in the message.
  var isIndirect = false

  enum Shape: Hashable {
    /// Proto3 without presence: the default value means not set.
    case plain
    /// With presence, not in a oneof.
    case optional
    /// Proto2.
    case required
    case repeated(packed: Bool)
    case map
    case oneof(Int)
  }

  struct Rules {
    var safety: Safety
    var violation: Violation
    var place: OptionPlace

    static let violationNumber: Int32 = 2
  }

  init(
    name: String, number: Int32, jsonName: String?, type: FieldType, shape: Shape, defaultText: String?,
    isDeprecated: Bool, message: SchemaMessage, path: DescriptorPath
  ) {
    self.name = name
    self.number = number
    self.jsonName = jsonName
    self.type = type
    self.shape = shape
    self.defaultText = defaultText
    self.isDeprecated = isDeprecated
    self.message = message
    self.path = path
  }

  var place: Place { message.file.sources.place(path + [Tag.name]) }
  var comment: String? { message.file.sources.comment(path) }
  /// Required, and yet nil where a message begins: it contains itself by way of required fields alone.
  var isRequiredCycle: Bool { shape == .required && isRecursive }
  var safety: Safety { rules?.safety ?? .safe }

  var oneof: SchemaOneof? {
    if case .oneof(let index) = shape { message.oneofs[index] } else { nil }
  }

  /// Key and value of a map field.
  var mapTypes: (key: FieldType, value: FieldType)? {
    guard shape == .map, case .message(let entry) = type, entry.fields.count == 2 else { return nil }
    return (entry.fields[0].type, entry.fields[1].type)
  }
}

enum FieldType {
  case scalar(ScalarType)
  case enumeration(SchemaEnum)
  case message(SchemaMessage)
}

/// The scalar types of protobuf, by the names that schemas and generated tables use.
enum ScalarType: String {
  case double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64, bool, string
  case bytes
}

final class SchemaOneof {
  let name: String
  unowned let message: SchemaMessage
  let path: DescriptorPath
  /// Made by protoc for a proto3 optional field.
  var isSynthetic = false

  init(name: String, message: SchemaMessage, path: DescriptorPath) {
    self.name = name
    self.message = message
    self.path = path
  }

  var place: Place { message.file.sources.place(path + [Tag.name]) }
  var comment: String? { message.file.sources.comment(path) }
  var fields: [SchemaField] { message.fields.filter { $0.oneof === self } }
}

final class SchemaEnum {
  struct Value {
    var name: String
    var number: Int32
    var isDeprecated: Bool
    var path: DescriptorPath
  }

  let name: String
  let fullName: String
  unowned let file: SchemaFile
  unowned let parent: SchemaMessage?
  let path: DescriptorPath
  let isDeprecated: Bool
  var values: [Value] = []

  init(
    name: String, fullName: String, file: SchemaFile, parent: SchemaMessage?, path: DescriptorPath, isDeprecated: Bool
  ) {
    self.name = name
    self.fullName = fullName
    self.file = file
    self.parent = parent
    self.path = path
    self.isDeprecated = isDeprecated
  }

  /// Whether it holds no numbers but those of its values, as enums of proto2.
  var isClosed: Bool { !file.isProto3 }
  var place: Place { file.sources.place(path + [Tag.name]) }
  var comment: String? { file.sources.comment(path) }
}
