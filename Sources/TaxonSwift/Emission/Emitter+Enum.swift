// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

extension Emitter {
  func emitEnum(_ enumeration: SchemaEnum) {
    let path = names.path(enumeration)
    let all = Array(zip(names.cases(enumeration), enumeration.values))
    // The first value of a number is a case, the others are aliases of it.
    var numbers: Set<Int32> = []
    let cases = all.filter { numbers.insert($0.1.number).inserted }
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
      let closed = enumeration.isClosed ? "isClosed: true, " : ""
      if cases.count > Self.mostCasesInSwitch { return emitLarge(cases, closed, of: enumeration) }
      emitRawValue(cases, isClosed: enumeration.isClosed)
      writer.blank()
      writer.list(
        "\(access)static let descriptor = \(runtime("EnumDescriptor"))(\"\(enumeration.fullName)\", \(closed)[",
        enumeration.values.map { "\"\($0.name)\": \($0.number)" }, "])")
    }
  }

  /// The compiler's time for a switch grows with the square of its cases.
  private static let mostCasesInSwitch = 200

  /// What a small enum has in switches and in a literal, as one text.
  private func emitLarge(_ cases: [(String, SchemaEnum.Value)], _ closed: String, of enumeration: SchemaEnum) {
    let number = standard("Int32")
    if enumeration.isClosed {
      writer.block("\(access)init?(rawValue: \(number))") {
        writer.line("guard let value = Self.descriptor.value(rawValue) as Self? else { return nil }")
        writer.line("self = value")
      }
      writer.blank()
      writer.line("\(access)var rawValue: \(number) { Self.descriptor.number(of: self) }")
    } else {
      writer.block("\(access)init(rawValue: \(number))") {
        writer.line("self = Self.descriptor.value(rawValue) ?? .unrecognized(rawValue)")
      }
      writer.blank()
      writer.block("\(access)var rawValue: \(number)") {
        writer.line("if case .unrecognized(let rawValue) = self { rawValue } else { Self.descriptor.number(of: self) }")
      }
    }
    writer.blank()
    let range = "from: Self.\(cases[0].0), to: Self.\(cases[cases.count - 1].0)"
    writer.line(
      "\(access)static let descriptor = \(runtime("EnumDescriptor"))(\"\(enumeration.fullName)\", \(closed)\(range), \"\"\""
    )
    writer.indented {
      for value in enumeration.values { writer.line("\(value.name) \(value.number)") }
      writer.line("\"\"\")")
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
    let originals = Dictionary(cases.map { ($0.1.number, $0.0) }) { first, _ in first }
    for (name, value) in all where taken.insert(name).inserted {
      guard let original = originals[value.number] else { continue }
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
