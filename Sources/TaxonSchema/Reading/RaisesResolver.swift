// SPDX-License-Identifier: Apache-2.0

/// Finds the errors and categories that the names in `raises` stand for.
///
/// A name is first looked up as protobuf looks up types, from the innermost scope outward; then, again from the innermost
/// scope outward, inside the categories of each scope.
struct RaisesResolver {
  private let schema: Schema
  /// Errors and categories of all files, in the order of the sources.
  private let raisable: [SchemaMessage]
  /// Schemas that the run could import and does not; nil when nobody has looked for them.
  private let importable: Schema?

  enum Resolution {
    case found(SchemaMessage)
    case ambiguous([SchemaMessage])
    /// Something has that name, but it cannot be raised.
    case notRaisable(String)
    case unknown
  }

  init(_ schema: Schema, importable: Schema? = nil) {
    self.schema = schema
    self.importable = importable
    raisable = schema.allMessages.filter { $0.error != nil || $0.category != nil }
  }

  /// Resolves the names of all methods, and reports why one cannot be resolved.
  static func resolve(_ schema: Schema, importable: Schema?, _ diagnostics: inout Diagnostics) {
    let resolver = RaisesResolver(schema, importable: importable)
    for file in schema.files {
      let ofFile = resolver.errors(file.raises, in: file.package, of: file, &diagnostics)
      for service in file.services {
        let ofService = resolver.errors(service.raises, in: service.fullName, of: file, &diagnostics)
        for method in service.methods {
          let own = resolver.errors(method.raises, in: service.fullName, of: file, &diagnostics)
          method.errors = (own + ofService + ofFile).uniqued()
        }
      }
    }
  }

  private func errors(
    _ names: [RaisedName], in scope: String, of file: SchemaFile, _ diagnostics: inout Diagnostics
  ) -> [SchemaMessage] {
    var named: [ObjectIdentifier: String] = [:]
    return names.flatMap { raised -> [SchemaMessage] in
      switch resolve(raised.name, in: scope) {
      case .found(let message):
        if let first = named[ObjectIdentifier(message)], file.isGenerated {
          let what =
            first == raised.name ? "\"\(first)\" twice" : "\"\(raised.name)\", which it names as \"\(first)\" too"
          diagnostics.warning(raised.place, "raises names \(what); take one of them away")
        }
        named[ObjectIdentifier(message)] = raised.name
        file.raised.append(message)
        return message.allErrors
      case .ambiguous(let candidates):
        let names = candidates.map { "\"\(shortName($0, in: scope))\"" }
        diagnostics.error(
          raised.place, "raises names \"\(raised.name)\", which could be \(names.listed("or")); write one of these")
      case .notRaisable(let what):
        let mend = suggestion(for: raised.name, in: scope).map { "did you mean \"\($0)\"?" }
        diagnostics.error(
          raised.place,
          "raises names \"\(raised.name)\", but \(what) is neither an error nor a category; "
            + (mend ?? "name one that is"))
      case .unknown:
        file.hasUnknownRaises = true
        diagnostics.error(raised.place, "raises names \"\(raised.name)\", \(mend(unknown: raised.name, in: scope))")
      }
      return []
    }
  }

  /// The rest of the sentence on a name that nothing has: what is wrong and how to mend it.
  private func mend(unknown name: String, in scope: String) -> String {
    // protoc does not pass on files that are neither generated nor imported.
    if let importable {
      let elsewhere = RaisesResolver(importable)
      switch elsewhere.resolve(name, in: scope) {
      case .found(let message):
        return "which is in a file that is not imported; write import \"\(message.file.path)\";"
      case .ambiguous(let candidates):
        let files = Set(candidates.map { "import \"\($0.file.path)\";" }).sorted().listed("or")
        return "which is in files that are not imported; write \(files)"
      case .notRaisable, .unknown: break
      }
      if suggestion(for: name, in: scope) == nil, let near = elsewhere.suggestion(for: name, in: scope),
        case .found(let message) = elsewhere.resolve(near, in: scope)
      {
        return "and there is no such error or category; did you mean \"\(near)\"? "
          + "Then write import \"\(message.file.path)\"; too"
      }
    }
    let mend = suggestion(for: name, in: scope).map {
      "did you mean \"\($0)\"? If another file declares \"\(name)\", import that file"
    }
    return "and there is no such error or category; "
      + (mend ?? "declare it, import the file that does, or generate the two together")
  }

  func resolve(_ name: String, in scope: String) -> Resolution {
    if name.hasPrefix(".") { return resolveAsType(String(name.dropFirst()), in: "") ?? .unknown }
    if name.isEmpty { return .unknown }
    let scopes = scopes(from: scope)
    if let asType = scopes.lazy.compactMap({ resolveAsType(name, in: $0) }).first { return asType }
    for scope in scopes {
      let candidates = raisable.filter { isMember($0, named: name, of: scope) }
      if candidates.count > 1 { return .ambiguous(candidates) }
      if let candidate = candidates.first { return .found(candidate) }
    }
    return .unknown
  }

  private func resolveAsType(_ name: String, in scope: String) -> Resolution? {
    let fullName = scope.isEmpty ? name : "\(scope).\(name)"
    switch schema.symbols[fullName] {
    case .message(let message):
      return message.error != nil || message.category != nil ? .found(message) : .notRaisable("message \(fullName)")
    case .enumeration: return .notRaisable("enum \(fullName)")
    case .service: return .notRaisable("service \(fullName)")
    case .method, nil: return nil
    }
  }

  /// Whether `name` names the message from within a category that stands, at any depth, in `scope`.
  private func isMember(_ message: SchemaMessage, named name: String, of scope: String) -> Bool {
    guard message.fullName.hasSuffix(".\(name)") else { return false }
    let around = message.fullName.dropLast(name.count + 1)
    return message.categories.contains { $0.fullName == around } && (scope.isEmpty || around.hasPrefix("\(scope)."))
  }

  /// "a.b.C" gives a.b.C, a.b, a and the global scope.
  private func scopes(from scope: String) -> [String] {
    var parts = scope.split(separator: ".")
    var result: [String] = []
    while !parts.isEmpty {
      result.append(parts.joined(separator: "."))
      parts.removeLast()
    }
    return result + [""]
  }

  /// The shortest name that stands for the message in this scope.
  func shortName(_ message: SchemaMessage, in scope: String) -> String {
    let parts = message.fullName.split(separator: ".")
    for count in 1..<max(parts.count, 1) {
      let name = parts.suffix(count).joined(separator: ".")
      if case .found(let found) = resolve(name, in: scope), found === message { return name }
    }
    return message.fullName
  }

  private func suggestion(for name: String, in scope: String) -> String? {
    let bySimpleName = Nearest.name(
      to: name.split(separator: ".").last.map(String.init) ?? name, among: raisable.map(\.name))
    let candidates = raisable.filter { $0.name == bySimpleName }
    let names = candidates.map { shortName($0, in: scope) }
    return Nearest.name(to: name, among: names, within: .max)
  }
}

extension [SchemaMessage] {
  fileprivate func uniqued() -> [SchemaMessage] {
    var seen: Set<ObjectIdentifier> = []
    return filter { seen.insert(ObjectIdentifier($0)).inserted }
  }
}
