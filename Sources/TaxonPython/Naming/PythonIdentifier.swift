// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Turns names of the schema into names of Python.
enum PythonIdentifier {
  /// The reserved words of Python 3.11 to 3.13 (Language Reference, "Keywords").
  static let keywords: Set<String> = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
    "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or",
    "pass", "raise", "return", "try", "while", "with", "yield",
  ]

  /// Attributes of every error (taxon/runtime/errors.py, and BaseException).
  private static let errorMembers: Set<String> = [
    "add_detail", "add_note", "args", "breaker", "categories", "cause", "causes", "code", "declaration",
    "derived_details", "detail", "details", "domain", "error_code", "facts", "from_payload", "http_status", "identity",
    "instance_id", "is_from_call", "is_injected", "is_retry_safe", "localized_messages", "message", "metadata",
    "omitted", "payload", "public_payload", "pushback", "received_causes", "received_details", "retry", "retry_after",
    "retry_after_field", "rpc_details", "severity", "status", "text", "to_dict", "trailers", "violations",
    "with_traceback",
  ]

  /// What the bodies of generated classes use: an attribute of that name would hide it there.
  private static let usedInClasses: Set<String> = [
    "Mapping", "Sequence", "bool", "bytes", "dict", "float", "getattr", "grpc", "importlib", "int", "len", "list",
    "property",
    "runtime", "str", "super",
  ]

  /// What the constructor of an error uses beside the fields.
  private static let usedInConstructors: Set<String> = ["getattr", "retry_after", "self", "super"]

  /// The attribute of a field: its name in the schema, with an underscore behind where that is taken.
  static func attribute(_ name: String) -> String {
    let isTaken =
      keywords.contains(name) || errorMembers.contains(name) || usedInClasses.contains(name)
      || name.hasSuffix("_pb2") || name.hasSuffix("_taxon")
    return public_(isTaken ? name + "_" : name)
  }

  /// The keyword argument of a field: its name in the schema, even where the attribute has another.
  static func argument(_ name: String) -> String {
    public_(keywords.contains(name) || usedInConstructors.contains(name) ? name + "_" : name)
  }

  /// Python takes a name with underscores in front for a private one.
  private static func public_(_ name: String) -> String { name.hasPrefix("_") ? "field" + name : name }

  /// What is wrong with the name of a taxonomy's root class and how to mend it; nil when all is well.
  static func mistake(inRootClass name: String) -> String? {
    let isName =
      name.first?.isUppercase == true && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    guard isName, !keywords.contains(name), !["METHODS", "Mapping", "Sequence"].contains(name) else {
      return "cannot be the name of a Python class; write a name such as \"ExampleError\""
    }
    return nil
  }

  // MARK: Classes

  /// The class of a category or an error, before names that meet are told apart: it ends in "Error", as in OctoLLM's standard,
  /// or in "Errors".
  static func className(_ name: String) -> String {
    let name = name.first?.isLowercase == true || name.contains("_") ? camel(Words(name).words) : name
    return name.hasSuffix("Error") || name.hasSuffix("Errors") ? name : name + "Error"
  }

  /// The root class of a taxonomy without a name: "reflex.octollm.dev" gives ReflexOctollmError.
  static func rootClass(ofDomain domain: String) -> String {
    camel(Words(domain.split(separator: ".").dropLast().joined(separator: "_")).words) + "Error"
  }

  private static func camel(_ words: [String]) -> String {
    let name = words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    return name.first?.isNumber == true ? "_" + name : name
  }

  // MARK: Modules

  /// octollm/v1/errors.proto gives octollm/v1/errors_taxon.py.
  static func outputFile(_ path: String) -> String {
    module(path, "_taxon").split(separator: ".").joined(separator: "/") + ".py"
  }

  /// The module of a file, as protoc names it: octollm/v1/errors.proto gives octollm.v1.errors_pb2.
  static func module(_ path: String, _ suffix: String) -> String {
    let name = path.hasSuffix(".proto") ? String(path.dropLast(6)) : path
    return String(name.map { $0 == "-" ? "_" : $0 == "/" ? "." : $0 }) + suffix
  }
}
