// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonSchema

/// Turns names of the schema into names of Swift, one at a time. That two declarations of one scope do not get the same name is
/// what `NameAssignment` looks after.
enum Identifier {
  /// The name as written where no dot precedes it.
  static func escaped(_ name: String) -> String { ReservedNames.keywords.contains(name) ? "`\(name)`" : name }

  /// The name as an argument's label, which any keyword but one may be as it is (SE-0001).
  static func argumentLabel(_ name: String) -> String { name == "inout" ? "`inout`" : name }

  /// A name that Swift accepts as an identifier, in backticks at most.
  static func usable(_ name: String) -> String {
    if ReservedNames.unusable.contains(name) { return name + "_" }
    return name.first?.isNumber == true ? "_" + name : name
  }

  // MARK: Types

  /// The prefix of a file's types: from the settings, from `swift_prefix`, or the package ("google.protobuf" gives
  /// "Google_Protobuf_").
  static func prefix(of file: SchemaFile, _ settings: GeneratorSettings) -> String {
    if file.isGenerated || !GeneratorSettings.comesWithTaxon(file.path),
      let prefix = settings.prefix(of: file)
    {
      return prefix
    }
    if let prefix = file.descriptor.options?.swiftPrefix { return prefix }
    return file.package.split(separator: ".").map { part in
      part.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "_"
    }.joined()
  }

  /// The name of a type; CamelCase of the schema is kept.
  static func type(_ name: String, prefix: String = "") -> String {
    guard let first = name.first(where: { $0 != "_" }) else { return prefix + "Underscore" }
    // A property or a case of the same name would hide the type: letters differ in case, digits do not.
    if prefix.isEmpty, first.isNumber { return "\(name)_" }
    return usable(prefix + (name.first?.isLowercase == true ? Words(name).upperCamel : name))
  }

  /// The name of the enum of what a oneof can be.
  static func oneofType(_ name: String) -> String {
    let name = Words(name).upperCamel
    return name.isEmpty ? "Underscore" : usable(name)
  }

  /// What is wrong with the name of a taxonomy's root type and how to mend it; nil when all is well.
  static func mistake(inRootType name: String) -> String? {
    guard name.first?.isUppercase == true, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
    else { return "cannot be the name of a Swift type; write a name such as \"ExampleError\"" }
    return nil
  }

  // MARK: Properties and functions

  /// The name in lowerCamelCase: `task_id` is `taskID`.
  static func lowerCamel(_ name: String) -> String {
    let name = Words(name).lowerCamel
    return name.isEmpty ? "underscore" : usable(name)
  }

  static func property(_ name: String, isInError: Bool) -> String {
    let name = lowerCamel(name)
    return (isInError ? ReservedNames.errorMembers : ReservedNames.messageMembers).contains(name)
      ? name + "Field" : name
  }

  /// The label of a field in the memberwise init: the plain name, even where the property has another.
  static func label(_ name: String, isInError: Bool) -> String {
    let name = lowerCamel(name)
    return isInError && ReservedNames.errorLabels.contains(name) ? name + "Field" : name
  }

  /// The label of a field. An initialiser with the label of those that decode bytes or text, for a field of that type, would be
  /// called in their place.
  static func label(_ field: SchemaField) -> String {
    let label = label(field.name, isInError: field.message.error != nil)
    switch field.type {
    case .scalar(.bytes) where label == "decoding" || label == "json": return label + "Field"
    case .scalar(.string) where label == "json": return label + "Field"
    default: return label
    }
  }

  // MARK: Cases

  /// The cases of an enum, without the enum's name where they stay distinct without it.
  static func cases(of enumeration: SchemaEnum) -> [String] {
    let stripped = enumeration.values.map { caseName(withoutPrefix($0.name, enumeration.name)) }
    var numbers: [String: Int32] = [:]
    for (name, value) in zip(stripped, enumeration.values) where numbers.updateValue(value.number, forKey: name) != nil
    {
      // Without the prefix two values have one name; aliases of one number may share it.
      let all = zip(stripped, enumeration.values).filter { $0.0 == name }
      if Set(all.map(\.1.number)).count > 1 { return enumeration.values.map { caseName($0.name) } }
    }
    return stripped
  }

  private static func caseName(_ name: String) -> String {
    let name = lowerCamel(name.contains { $0.isLowercase } ? name : name.lowercased())
    return ReservedNames.enumCases.contains(name) ? name + "Value" : name
  }

  /// The case of a member of a oneof.
  static func oneofCase(_ name: String) -> String {
    let name = lowerCamel(name)
    return ReservedNames.optionalCases.contains(name) ? name + "Value" : name
  }

  /// TASK_STATUS_PENDING in TaskStatus is PENDING.
  private static func withoutPrefix(_ value: String, _ enumeration: String) -> String {
    var rest = value[...]
    for letter in enumeration where letter != "_" {
      rest = rest.drop { $0 == "_" }
      guard rest.popFirst()?.lowercased() == letter.lowercased() else { return value }
    }
    guard rest.first == "_" else { return value }
    rest = rest.drop { $0 == "_" }
    return rest.first?.isLetter == true ? String(rest) : value
  }

  // MARK: Files

  /// The static member of `ProtoFileDescriptor`, `TypeRegistry` and `ErrorRegistry` for a file: octollm/v1/errors.proto gives
  /// octollmV1Errors.
  static func fileMember(_ path: String) -> String {
    let name = lowerCamel(path.hasSuffix(".proto") ? String(path.dropLast(6)) : path)
    return ReservedNames.optionalCases.contains(name) ? name + "File" : name
  }
}

/// Names as Swift writes them.
extension Words {
  /// Words that are written in capitals, unless they come first.
  private static let initialisms: [String: String] = [
    "id": "ID", "url": "URL", "uri": "URI", "http": "HTTP", "https": "HTTPS", "api": "API", "uuid": "UUID",
    "json": "JSON", "db": "DB", "ids": "IDs", "urls": "URLs",
  ]

  var lowerCamel: String {
    guard let first = words.first else { return "" }
    return first.lowercased() + words.dropFirst().map(Self.capitalized).joined()
  }

  var upperCamel: String { words.map(Self.capitalized).joined() }

  private static func capitalized(_ word: String) -> String {
    let lower = word.lowercased()
    return initialisms[lower] ?? lower.prefix(1).uppercased() + lower.dropFirst()
  }
}
