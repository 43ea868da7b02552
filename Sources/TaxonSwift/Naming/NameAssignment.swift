// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Gives every declaration of a schema its name in Swift, scope by scope.
struct NameAssignment {
  /// The paths of types: of messages, enums, services, oneofs, and of the enums of what methods raise.
  private(set) var types: [ObjectIdentifier: [String]] = [:]
  /// The properties of fields, oneofs and extensions, the functions of methods, and the root types of files' taxonomies.
  private(set) var members: [ObjectIdentifier: String] = [:]
  /// The labels of fields and oneofs in memberwise initialisers.
  private(set) var labels: [ObjectIdentifier: String] = [:]
  /// The cases of members of oneofs.
  private(set) var oneofCases: [ObjectIdentifier: String] = [:]
  /// The cases of enums, by the position of their values.
  private(set) var enumCases: [ObjectIdentifier: [String]] = [:]
  /// The cases of categories, of what methods raise, and of files' taxonomies.
  private(set) var unions: [ObjectIdentifier: [UnionCase]] = [:]
  /// The properties of categories, by the names of the fields.
  private(set) var accessors: [ObjectIdentifier: [String: String]] = [:]
  /// Names of generated files, by the paths of the schemas.
  private(set) var outputFiles: [String: String] = [:]
  /// The members of `ProtoFileDescriptor` and the registries, by the paths of the schemas.
  private(set) var fileMembers: [String: String] = [:]
  /// The names of the types that generated code declares in each scope; those of the module are at [].
  private(set) var declared: [[String]: Set<String>] = [[]: []]
  /// Names that are not what their declarations would have alone.
  private(set) var notes: [NameNote] = []

  private let settings: GeneratorSettings
  /// The scopes of the properties of messages, for extensions, which come last.
  private var scopes: [ObjectIdentifier: NameScope] = [:]
  /// Whether what is named now is generated.
  private var isGenerated = false

  init(_ schema: Schema, settings: GeneratorSettings) {
    self.settings = settings
    // What is imported has its names already; paths come in the order of the alphabet, for protoc's depends on the command line.
    let files = schema.files.sorted { left, right in
      left.isGenerated == right.isGenerated ? left.path < right.path : !left.isGenerated
    }
    var modules: [String: NameScope] = [:]
    for file in files {
      isGenerated = file.isGenerated
      add(file, &modules[settings.typeModule(of: file) ?? "", default: NameScope()])
    }
    for extended in files.flatMap(\.extensions) { add(extended) }
    addFiles(files)
  }

  private mutating func names(_ requests: [NameScope.Request], in scope: inout NameScope) -> [String] {
    scope.names(for: requests) { note in
      if isGenerated { notes.append(note) }
    }
  }

  private mutating func declare(_ path: [String]) {
    if isGenerated { declared[Array(path.dropLast()), default: []].insert(path[path.count - 1]) }
  }

  // MARK: Files

  private mutating func add(_ file: SchemaFile, _ module: inout NameScope) {
    let prefix = Identifier.prefix(of: file, settings)
    if let taxonomy = file.taxonomy, let name = taxonomy.name {
      let what = "taxonomy name \"\(name)\""
      let name = names([.init(wanted: name, what: what, place: taxonomy.namePlace)], in: &module)[0]
      members[ObjectIdentifier(file)] = name
      declare([name])
      addUnion(UnionCase.nested(file.members), of: ObjectIdentifier(file))
    }
    let messages = file.messages.filter { !$0.isMapEntry }
    let requests =
      messages.map { Self.request($0, prefix, "message \($0.fullName)") }
      + file.enums.map { Self.request($0, prefix, "enum \($0.fullName)") }
      + file.services.map { service in
        .init(
          wanted: Identifier.type(service.name, prefix: prefix), what: "service \(service.fullName)",
          place: service.place)
      }
    var rest = names(requests, in: &module)[...]
    for message in messages { add(message, [rest.removeFirst()]) }
    for enumeration in file.enums { add(enumeration, [rest.removeFirst()]) }
    for service in file.services { add(service, [rest.removeFirst()]) }
  }

  private static func request(_ message: SchemaMessage, _ prefix: String, _ what: String) -> NameScope.Request {
    .init(wanted: Identifier.type(message.name, prefix: prefix), what: what, place: message.place)
  }

  private static func request(_ enumeration: SchemaEnum, _ prefix: String, _ what: String) -> NameScope.Request {
    .init(wanted: Identifier.type(enumeration.name, prefix: prefix), what: what, place: enumeration.place)
  }

  /// The names of files, each module's on its own. Modules that import them know all their paths, and come to the same names.
  private mutating func addFiles(_ files: [SchemaFile]) {
    let generated = files.filter(\.isGenerated)
    outputFiles = OutputNames.names(of: generated.map(\.path))
    let ofTaxon = GeneratorSettings.descriptorsOfTaxon
    var shared: [String: Set<String>] = [:]
    for (path, schemas) in settings.shared { for schema in schemas { shared[schema.module, default: []].insert(path) } }
    for paths in shared.values { nameMembers(paths.sorted(), reserved: ofTaxon) }
    isGenerated = true
    let reserved = ofTaxon.subtracting(generated.map(\.path))
    let orphans = files.filter { !$0.isGenerated && settings.shared[$0.path] == nil }
    nameMembers((generated + orphans).map(\.path), reserved: reserved)
    for path in reserved { fileMembers[path] = Identifier.fileMember(path) }
    noteOutputFiles(generated.map(\.path))
  }

  private mutating func nameMembers(_ paths: [String], reserved: Set<String>) {
    let paths = paths.filter { !reserved.contains($0) }
    var scope = NameScope(reserved: reserved.map(Identifier.fileMember))
    let requests = paths.map { path in
      NameScope.Request(wanted: Identifier.fileMember(path), what: "file \(path)", place: Place(file: path))
    }
    for (path, name) in zip(paths, names(requests, in: &scope)) { fileMembers[path] = name }
  }

  private mutating func noteOutputFiles(_ paths: [String]) {
    for path in paths {
      let plain = OutputNames.names(of: [path])[path] ?? ""
      guard let name = outputFiles[path], name != plain else { continue }
      let owner = outputFiles.first { $0.value.lowercased() == plain.lowercased() }?.key ?? path
      notes.append(
        NameNote(
          what: "file \(path)", name: name, wanted: plain, place: Place(file: path),
          owner: ("file \(owner)", Place(file: owner))))
    }
  }

  // MARK: Messages

  private mutating func add(_ message: SchemaMessage, _ path: [String]) {
    types[ObjectIdentifier(message)] = path
    declare(path)
    let isError = message.error != nil
    let messages = message.messages.filter { !$0.isMapEntry }
    let oneofs = message.oneofs.filter { !$0.isSynthetic }
    // Types and properties are in one scope: a oneof called "_1" has the same name for both.
    var scope = NameScope()
    let typeRequests =
      messages.map { Self.request($0, "", "message \($0.name)") }
      + message.enums.map { Self.request($0, "", "enum \($0.name)") }
    var rest = names(typeRequests, in: &scope)[...]
    for nested in messages { add(nested, path + [rest.removeFirst()]) }
    for enumeration in message.enums { add(enumeration, path + [rest.removeFirst()]) }

    if message.category != nil {
      // Cases and types are both the enum's own; its properties are of values.
      addUnion(UnionCase.nested(message.members), of: ObjectIdentifier(message), scope)
      addAccessors(of: message, &scope)
    } else {
      addProperties(of: message, oneofs, isError: isError, &scope)
    }
    for oneof in oneofs {
      // A type of the schema has its own name; a note would say nothing that its user looks for.
      let wanted = Identifier.oneofType(oneof.name)
      let request = NameScope.Request(
        wanted: wanted, alternatives: [Identifier.usable("\(Words(oneof.name).upperCamel)OneOf")],
        what: "oneof \"\(oneof.name)\"", place: oneof.place)
      types[ObjectIdentifier(oneof)] = path + scope.names(for: [request])
      declare(path + [types[ObjectIdentifier(oneof)]?.last ?? wanted])
      addCases(of: oneof)
    }
    scopes[ObjectIdentifier(message)] = scope
  }

  /// The stored properties, and those of the members of an error's oneofs. A field with a lower number comes first: fields that
  /// are added later leave the names of others as they are.
  private mutating func addProperties(
    of message: SchemaMessage, _ oneofs: [SchemaOneof], isError: Bool, _ scope: inout NameScope
  ) {
    let fields = message.fields.sorted { $0.number < $1.number }
    let stored = fields.filter { $0.oneof == nil }
    let accessible = isError ? fields.filter { $0.oneof != nil } : []
    func requests(_ fields: [SchemaField], _ name: (SchemaField) -> String) -> [NameScope.Request] {
      fields.map { .init(wanted: name($0), what: "field \"\($0.name)\"", place: $0.place) }
    }
    func requests(_ oneofs: [SchemaOneof], _ name: (String, Bool) -> String) -> [NameScope.Request] {
      oneofs.map { oneof in
        let wanted = name(oneof.name, isError)
        return .init(
          wanted: wanted, alternatives: ["\(wanted)OneOf"], what: "oneof \"\(oneof.name)\"", place: oneof.place)
      }
    }
    func property(_ field: SchemaField) -> String { Identifier.property(field.name, isInError: isError) }

    let keys = stored.map { ObjectIdentifier($0) } + oneofs.map { ObjectIdentifier($0) }
    let all =
      requests(stored, property) + requests(oneofs, Identifier.property(_:isInError:)) + requests(accessible, property)
    let properties = names(all, in: &scope)
    for (key, name) in zip(keys + accessible.map { ObjectIdentifier($0) }, properties) { members[key] = name }
    var parameters = NameScope()
    let wanted = requests(stored, Identifier.label(_:)) + requests(oneofs, Identifier.label(_:isInError:))
    for (key, name) in zip(keys, parameters.names(for: wanted)) { labels[key] = name }
  }

  private mutating func addCases(of oneof: SchemaOneof) {
    var scope = NameScope()
    let fields = oneof.fields.sorted { $0.number < $1.number }
    let requests = fields.map { field in
      NameScope.Request(
        wanted: Identifier.oneofCase(field.name), what: "field \"\(field.name)\"", place: field.place)
    }
    for (field, name) in zip(fields, names(requests, in: &scope)) { oneofCases[ObjectIdentifier(field)] = name }
  }

  /// An extension is a property of the message that it extends, beside those of the fields.
  private mutating func add(_ extended: SchemaExtension) {
    isGenerated = extended.file.isGenerated
    let prefix = Identifier.prefix(of: extended.file, settings)
    let scope = extended.scope.map { types[ObjectIdentifier($0)] ?? [] } ?? [prefix]
    let name = Identifier.property((scope + [extended.field.name]).joined(separator: "_"), isInError: false)
    let request = NameScope.Request(
      wanted: name, what: "extension \"\(extended.fullName)\"", place: extended.place)
    var properties = scopes[ObjectIdentifier(extended.extendee)] ?? NameScope()
    members[ObjectIdentifier(extended)] = names([request], in: &properties)[0]
    scopes[ObjectIdentifier(extended.extendee)] = properties
  }

  // MARK: Enums

  private mutating func add(_ enumeration: SchemaEnum, _ path: [String]) {
    types[ObjectIdentifier(enumeration)] = path
    declare(path)
    // Aliases of one number may share a name.
    struct Key: Hashable {
      var name: String
      var number: Int32
    }
    let keys = zip(Identifier.cases(of: enumeration), enumeration.values).map { Key(name: $0, number: $1.number) }
    var seen: Set<Key> = []
    let firsts = keys.indices.filter { seen.insert(keys[$0]).inserted }
    var scope = NameScope()
    let requests = firsts.map { index in
      let value = enumeration.values[index]
      return NameScope.Request(
        wanted: keys[index].name, what: "value \(value.name)", place: enumeration.place(of: value))
    }
    let found = Dictionary(uniqueKeysWithValues: zip(firsts.map { keys[$0] }, names(requests, in: &scope)))
    enumCases[ObjectIdentifier(enumeration)] = keys.map { found[$0] ?? $0.name }
  }

  // MARK: Errors

  /// The properties of a category: of its own fields, and of those of the categories around it.
  private mutating func addAccessors(of category: SchemaMessage, _ scope: inout NameScope) {
    let fields = category.sharedFields
    let requests = fields.map { field in
      NameScope.Request(
        wanted: Identifier.property(field.name, isInError: true), what: "field \"\(field.name)\"", place: field.place)
    }
    let properties = names(requests, in: &scope)
    for (field, name) in zip(fields, properties) where field.message === category {
      members[ObjectIdentifier(field)] = name
    }
    accessors[ObjectIdentifier(category)] = Dictionary(uniqueKeysWithValues: zip(fields.map(\.name), properties))
  }

  private mutating func addUnion(
    _ cases: [UnionCase], of key: ObjectIdentifier, _ types: NameScope = NameScope(), at place: Place? = nil
  ) {
    var scope = types
    let requests = cases.map { union in
      let message = union.member
      let what = place == nil ? "message \(message.name)" : "error \(message.fullName)"
      return NameScope.Request(wanted: union.name, what: what, place: place ?? message.place)
    }
    unions[key] = zip(cases, names(requests, in: &scope)).map { UnionCase(member: $0.member, name: $1) }
  }

  // MARK: Services

  private mutating func add(_ service: SchemaService, _ path: [String]) {
    types[ObjectIdentifier(service)] = path
    declare(path)
    var inner = ["Methods", "Service", "PartialService"]
    if settings.clients { inner.append("Client") }
    if settings.fakes { inner.append("Fake") }
    for name in inner { declare(path + [name]) }
    var functions = NameScope()
    let requests = service.methods.map { method in
      NameScope.Request(
        wanted: Identifier.lowerCamel(method.name), what: "method \(method.name)", place: method.place)
    }
    for (method, name) in zip(service.methods, names(requests, in: &functions)) {
      members[ObjectIdentifier(method)] = name
    }
    // The functions' notes say which method is which.
    var enums = NameScope(reserved: inner)
    let raising = service.methods.filter { !$0.errors.isEmpty }
    let wanted = raising.map { method in
      NameScope.Request(wanted: Identifier.type(method.name) + "Error", what: "", place: method.place)
    }
    for (method, name) in zip(raising, enums.names(for: wanted)) {
      types[ObjectIdentifier(method)] = path + [name]
      declare(path + [name])
      addUnion(UnionCase.flat(method.errors), of: ObjectIdentifier(method), at: method.place)
    }
  }
}

extension SchemaMessage {
  /// The fields of a category and of those around it; where two declare the same field, it counts once.
  var sharedFields: [SchemaField] {
    var seen: Set<String> = []
    return (categories.flatMap(\.fields) + fields).filter { seen.insert($0.name).inserted }
  }
}
