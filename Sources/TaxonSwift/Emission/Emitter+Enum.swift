// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

extension Emitter {
  func emitEnum(_ enumeration: SchemaEnum) {
    let path = names.path(enumeration)
    let all = Array(zip(names.cases(enumeration), enumeration.values))
    // The first value of a number is a case, the others are aliases of it.
    let cases = all.enumerated().filter { index, value in
      !all[..<index].contains { $0.1.number == value.1.number }
    }.map(\.element)
    writer.documentation(enumeration.comment, "The enum `\(enumeration.fullName)`.")
    type("\(access)enum \(Identifier.escaped(path[path.count - 1])): \(runtime("ProtobufEnum"))", path) {
      for (name, value) in cases {
        document(value, of: enumeration)
        writer.line("case \(Identifier.escaped(name))")
      }
      if !enumeration.isClosed {
        writer.line("/// A number this code has no name for.")
        writer.line("case unrecognized(\(standard("Int32")))")
      }
      emitAliases(all, cases, of: enumeration)
      writer.blank()
      emitRawValue(cases, isClosed: enumeration.isClosed)
      writer.blank()
      let closed = enumeration.isClosed ? "isClosed: true, " : ""
      writer.list(
        "\(access)static let descriptor = \(runtime("EnumDescriptor"))(\"\(enumeration.fullName)\", \(closed)[",
        enumeration.values.map { "\"\($0.name)\": \($0.number)" }, "])")
    }
  }

  private func document(_ value: SchemaEnum.Value, of enumeration: SchemaEnum) {
    writer.documentation(enumeration.comment(of: value), "`\(value.name)`, \(value.number).")
    // An attribute would cause warnings where rawValue names the case.
    if value.isDeprecated { writer.line("/// - Warning: This value is deprecated.") }
  }

  private func emitAliases(
    _ all: [(String, SchemaEnum.Value)], _ cases: [(String, SchemaEnum.Value)], of enumeration: SchemaEnum
  ) {
    var taken = Set(cases.map(\.0))
    for (name, value) in all where taken.insert(name).inserted {
      guard let original = cases.first(where: { $0.1.number == value.number })?.0 else { continue }
      writer.blank()
      writer.documentation(
        enumeration.comment(of: value), "`\(value.name)`, another name of `\(original)`.")
      deprecation(value.isDeprecated)
      writer.line("\(access)static var \(Identifier.escaped(name)): Self { .\(original) }")
    }
  }

  private func emitRawValue(_ cases: [(String, SchemaEnum.Value)], isClosed: Bool) {
    writer.block("\(access)init\(isClosed ? "?" : "")(rawValue: \(standard("Int32")))") {
      writer.line("switch rawValue {")
      for (name, value) in cases { writer.line("case \(value.number): self = .\(name)") }
      writer.line("default: \(isClosed ? "return nil" : "self = .unrecognized(rawValue)")")
      writer.line("}")
    }
    writer.blank()
    writer.block("\(access)var rawValue: \(standard("Int32"))") {
      writer.line("switch self {")
      for (name, value) in cases { writer.line("case .\(name): \(value.number)") }
      if !isClosed { writer.line("case .unrecognized(let rawValue): rawValue") }
      writer.line("}")
    }
  }
}
