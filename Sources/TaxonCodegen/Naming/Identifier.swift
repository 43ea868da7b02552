// SPDX-License-Identifier: Apache-2.0

/// How a name of the schema becomes a name of Swift.
enum Identifier {
  private static let keywords: Set<String> = [
    "associatedtype", "class", "deinit", "enum", "extension", "fileprivate", "func", "import", "inout", "internal",
    "let", "open", "operator", "private", "precedencegroup", "protocol", "public", "rethrows", "static", "struct",
    "subscript", "typealias", "var", "break", "case", "catch", "continue", "default", "defer", "do", "else",
    "fallthrough", "for", "guard", "if", "in", "repeat", "return", "throw", "switch", "where", "while", "Any", "as",
    "await", "false", "is", "nil", "super", "throws", "true", "try",
  ]

  /// Names that backticks do not free.
  private static let unusable: Set<String> = ["self", "Self", "init", "Type", "Protocol"]

  /// The name as it stands where no dot comes before it.
  static func escaped(_ name: String) -> String { keywords.contains(name) ? "`\(name)`" : name }

  private static func usable(_ name: String) -> String {
    if unusable.contains(name) { return name + "_" }
    return name.first?.isNumber ?? true ? "_" + name : name
  }

  // MARK: Types

  /// `swift_prefix`, or the package: "google.protobuf" gives "Google_Protobuf_".
  static func prefix(of file: SchemaFile) -> String {
    if let prefix = file.swiftPrefix { return prefix }
    return file.package.split(separator: ".").map { part in
      part.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "_"
    }.joined()
  }

  /// The name of a type; CamelCase of the schema is left alone.
  static func type(_ name: String, prefix: String = "") -> String {
    usable(prefix + (name.first?.isLowercase == true ? Words(name).upperCamel : name))
  }

  static func oneofType(_ name: String) -> String { usable(Words(name).upperCamel) }

  // MARK: Properties and functions

  static func lowerCamel(_ name: String) -> String { usable(Words(name).lowerCamel) }

  /// Members of every message that a property would hide.
  private static let messageMembers: Set<String> = ["descriptor", "unknownFields", "isDefault", "hashValue"]

  /// Members of every error.
  private static let errorMembers: Set<String> = messageMembers.union([
    "breaker", "categories", "cause", "causes", "code", "context", "declaration", "description", "details", "domain",
    "errorDescription", "failureReason", "helpAnchor", "httpStatus", "identity", "instanceID", "isSafe",
    "localizedDescription", "members", "message", "metadata", "omitted", "publicPayload", "receivedDetails",
    "recoverySuggestion", "retry", "retryAfter", "safeFields", "severity", "status", "traits", "violations",
    "wireStatus", "wrapped",
  ])

  /// Other labels of an error's init.
  private static let errorLabels: Set<String> = ["retryAfter", "cause"]

  static func property(_ name: String, isInError: Bool) -> String {
    let name = lowerCamel(name)
    return (isInError ? errorMembers : messageMembers).contains(name) ? name + "Field" : name
  }

  /// The label of a field in the memberwise init: the plain name, even where the property has another.
  static func label(_ name: String, isInError: Bool) -> String {
    let name = lowerCamel(name)
    return isInError && errorLabels.contains(name) ? name + "Field" : name
  }

  // MARK: Cases

  /// The cases of an enum, without the enum's name where each can do without.
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
    return ["unrecognized", "descriptor"].contains(name) ? name + "Value" : name
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

  /// Static members of a union that a case would clash with.
  private static let unionMembers: Set<String> = ["other", "members", "lift", "catching", "received", "init_", "self_"]

  /// The case of an error or category in a union: its name without a trailing "Error".
  static func unionCase(_ message: SchemaMessage) -> String { unionCase(unionWords(message)) }

  static func unionCase(_ words: [String]) -> String {
    let name = usable(Words(words: words).lowerCamel)
    return unionMembers.contains(name) ? name + "Error" : name
  }

  static func unionWords(_ message: SchemaMessage) -> [String] {
    var words = Words(message.name).words
    // The code knows where the words of a run of capitals end: LLMAPIError is LLM_API_ERROR.
    if let code = message.error?.code, message.name.lowercased() == code.lowercased().filter({ $0 != "_" }) {
      words = Words(code).words
    }
    if words.count > 1, words.last?.lowercased() == "error" { words.removeLast() }
    return words
  }

  // MARK: Files

  /// octollm/v1/errors.proto gives octollm_v1_errors.pb.swift.
  static func outputFile(_ path: String) -> String {
    withoutExtension(path).split(separator: "/").joined(separator: "_") + ".pb.swift"
  }

  /// octollm/v1/errors.proto gives octollmV1Errors.
  static func registry(_ path: String) -> String { lowerCamel(withoutExtension(path)) }

  /// octollm/v1/errors.proto gives octollmV1Errors.
  static func descriptor(_ path: String) -> String { lowerCamel(withoutExtension(path)) }

  private static func withoutExtension(_ path: String) -> String {
    path.hasSuffix(".proto") ? String(path.dropLast(6)) : path
  }
}
