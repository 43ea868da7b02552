// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Checks that no two declarations get the same name in Swift.
struct NameCheck {
  let schema: Schema
  let names: SwiftNames
  let embedded: EmbeddedDescriptors

  func run(_ diagnostics: inout Diagnostics) {
    checkModule(&diagnostics)
    checkExtensions(&diagnostics)
    for file in schema.generatedFiles {
      for message in file.allMessages where !message.isMapEntry { check(message, &diagnostics) }
      for enumeration in file.allEnums { check(enumeration, &diagnostics) }
      for service in file.services { check(service, &diagnostics) }
    }
  }

  /// Names that are taken in one scope, and by what.
  private struct Scope {
    private var taken: [String: (what: String, place: Place)] = [:]

    /// Whether the name was free.
    @discardableResult
    mutating func add(_ swift: String, _ what: String, _ place: Place, _ diagnostics: inout Diagnostics) -> Bool {
      guard let first = taken[swift] else {
        taken[swift] = (what, place)
        return true
      }
      diagnostics.error(
        place,
        "\(what) becomes \(swift) in Swift, as \(first.what) at \(diagnostics.describe(first.place)) does; "
          + "rename one of them")
      return false
    }
  }

  // MARK: Types and files

  private func checkModule(_ diagnostics: inout Diagnostics) {
    var types = Scope()
    var files = Scope()
    var registries = Scope()
    var descriptors = Scope()
    for file in schema.generatedFiles {
      let start = Place(file: file.path)
      let isFree = files.add(Identifier.outputFile(file.path), "file \(file.path)", start, &diagnostics)
      if isFree, !embedded.embedded(in: file).isEmpty {
        let name = "ProtoFileDescriptor.\(Identifier.descriptor(file.path))"
        descriptors.add(name, "file \(file.path)", start, &diagnostics)
      }
      if !file.errors.isEmpty {
        registries.add("ErrorRegistry.\(Identifier.registry(file.path))", "file \(file.path)", start, &diagnostics)
      }
      for message in file.messages {
        types.add(names.path(message).joined(), "message \(message.fullName)", message.place, &diagnostics)
      }
      for enumeration in file.enums {
        types.add(names.path(enumeration).joined(), "enum \(enumeration.fullName)", enumeration.place, &diagnostics)
      }
      for service in file.services {
        types.add(names.path(service).joined(), "service \(service.fullName)", service.place, &diagnostics)
      }
      if let taxonomy = file.taxonomy, let name = taxonomy.name {
        types.add(name, "taxonomy name \"\(name)\"", taxonomy.namePlace, &diagnostics)
        check(file.members, &diagnostics)
      }
    }
  }

  /// An extension is a property of the message that it extends, beside those of the fields.
  private func checkExtensions(_ diagnostics: inout Diagnostics) {
    var properties: [ObjectIdentifier: Scope] = [:]
    for extended in schema.generatedFiles.flatMap(\.extensions) {
      let message = extended.extendee
      var scope = properties[ObjectIdentifier(message)] ?? Scope()
      if properties[ObjectIdentifier(message)] == nil {
        for field in message.fields where field.oneof == nil {
          let name = Identifier.property(field.name, isInError: message.error != nil)
          scope.add(name, "field \"\(field.name)\"", field.place, &diagnostics)
        }
      }
      let what = "extension \"\(extended.fullName)\""
      scope.add(names.property(extended), what, extended.place, &diagnostics)
      properties[ObjectIdentifier(message)] = scope
    }
  }

  // MARK: Messages

  private func check(_ message: SchemaMessage, _ diagnostics: inout Diagnostics) {
    var types = Scope()
    for nested in message.messages where !nested.isMapEntry {
      types.add(Identifier.type(nested.name), "message \(nested.name)", nested.place, &diagnostics)
    }
    for enumeration in message.enums {
      types.add(Identifier.type(enumeration.name), "enum \(enumeration.name)", enumeration.place, &diagnostics)
    }
    var properties = Scope()
    var cases: [Int: Scope] = [:]
    let isError = message.error != nil
    for field in message.fields {
      let name = Identifier.property(field.name, isInError: isError || message.category != nil)
      let what = "field \"\(field.name)\""
      if case .oneof(let index) = field.shape {
        cases[index, default: Scope()].add(Identifier.lowerCamel(field.name), what, field.place, &diagnostics)
        if !isError { continue }
      }
      properties.add(name, what, field.place, &diagnostics)
    }
    for oneof in message.oneofs where !oneof.isSynthetic {
      types.add(names.path(oneof).last ?? "", "oneof \"\(oneof.name)\"", oneof.place, &diagnostics)
      let name = Identifier.property(oneof.name, isInError: isError)
      properties.add(name, "oneof \"\(oneof.name)\"", oneof.place, &diagnostics)
    }
    if message.category != nil { check(message.members, &diagnostics) }
  }

  private func check(_ members: [SchemaMessage], _ diagnostics: inout Diagnostics) {
    var cases = Scope()
    for union in UnionCase.nested(members) {
      cases.add(union.name, "message \(union.member.name)", union.member.place, &diagnostics)
    }
  }

  private func check(_ enumeration: SchemaEnum, _ diagnostics: inout Diagnostics) {
    var cases = Scope()
    var numbers: [String: Int32] = [:]
    // Aliases of one number may share their name.
    for (name, value) in zip(names.cases(enumeration), enumeration.values) where numbers[name] != value.number {
      numbers[name] = value.number
      cases.add(name, "value \(value.name)", enumeration.place(of: value), &diagnostics)
    }
  }

  // MARK: Services

  private func check(_ service: SchemaService, _ diagnostics: inout Diagnostics) {
    var functions = Scope()
    for method in service.methods {
      functions.add(Identifier.lowerCamel(method.name), "method \(method.name)", method.place, &diagnostics)
      var cases = Scope()
      for union in UnionCase.flat(method.errors) {
        cases.add(
          "\(names.errorPath(method).last ?? "").\(union.name)", "error \(union.member.fullName)", method.place,
          &diagnostics)
      }
    }
  }
}

/// Warns of fields that generated code has no property for.
struct OmissionCheck {
  let schema: Schema

  func run(_ diagnostics: inout Diagnostics) {
    for omission in schema.omissions {
      diagnostics.warning(
        omission.place,
        "extension \"\(omission.name)\" of the message set \(omission.messageSet.fullName) has no Swift name, its bytes "
          + "stay with the unknown fields; use an extension of another message or google.protobuf.Any instead")
    }
  }
}
