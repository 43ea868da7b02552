// SPDX-License-Identifier: Apache-2.0

/// Names that Swift, or what generated types conform to, has for itself.
enum ReservedNames {
  /// Keywords that are names in backticks (The Swift Programming Language, Lexical Structure).
  static let keywords: Set<String> = [
    "associatedtype", "class", "deinit", "enum", "extension", "fileprivate", "func", "import", "inout", "internal",
    "let", "open", "operator", "private", "precedencegroup", "protocol", "public", "rethrows", "static", "struct",
    "subscript", "typealias", "var", "break", "case", "catch", "continue", "default", "defer", "do", "else",
    "fallthrough", "for", "guard", "if", "in", "repeat", "return", "throw", "switch", "where", "while", "as",
    "await", "false", "is", "nil", "super", "throws", "true", "try",
  ]

  /// Names that backticks do not help everywhere. `Swift` and `Taxon` would hide the modules with which generated code qualifies
  /// names, and a type with the name of a literal's type would become that of all literals.
  static let unusable: Set<String> = [
    "self", "Self", "init", "Type", "Protocol", "Any", "Swift", "Taxon", "IntegerLiteralType", "FloatLiteralType",
    "StringLiteralType", "BooleanLiteralType", "ExtendedGraphemeClusterType", "UnicodeScalarType",
  ]

  /// The cases of Optional: `.none` where a value is optional means nil, whatever the type inside calls so.
  static let optionalCases: Set<String> = ["none", "some"]

  /// Cases of every enum, and its static members.
  static let enumCases: Set<String> = optionalCases.union(["unrecognized", "descriptor"])

  /// Members of every message that a property would hide.
  static let messageMembers: Set<String> = ["descriptor", "unknownFields", "isDefault", "hashValue", "textFormat"]

  /// Members of every error (Documentation/PublicSymbols.txt).
  static let errorMembers: Set<String> = messageMembers.union([
    "breaker", "categories", "cause", "causes", "code", "context", "contexts", "declaration", "derivedDetails",
    "description", "details", "domain", "errorDescription", "failureReason", "helpAnchor", "httpStatus", "identity",
    "initialMetadata", "instanceID", "isInjected", "isRetrySafe", "localizedDescription", "localizedMessages",
    "members",
    "message", "metadata", "omitted", "publicPayload", "receivedDetails", "recoverySuggestion", "retry", "retryAfter",
    "safeFields", "safePayload", "severity", "status", "trailingMetadata", "traits", "violations", "wireStatus",
    "wrapped",
  ])

  /// Other labels of an error's initialiser.
  static let errorLabels: Set<String> = ["retryAfter", "cause"]

  /// Static members of a union of errors that a case would clash with, and the cases of Optional.
  static let unionMembers: Set<String> = optionalCases.union([
    "other", "members", "category", "lift", "catching", "received", "samples", "faults", "init_", "self_",
  ])
}
