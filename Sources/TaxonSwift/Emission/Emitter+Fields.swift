// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

extension ScalarType {
  /// The type of Swift's standard library, nil for bytes, which are an array.
  var swiftName: String? {
    switch self {
    case .double: "Double"
    case .float: "Float"
    case .int32, .sint32, .sfixed32: "Int32"
    case .int64, .sint64, .sfixed64: "Int64"
    case .uint32, .fixed32: "UInt32"
    case .uint64, .fixed64: "UInt64"
    case .bool: "Bool"
    case .string: "String"
    case .bytes: nil
    }
  }

  /// The default value, as Swift writes it.
  var defaultValue: String {
    switch self {
    case .bool: "false"
    case .string: "\"\""
    case .bytes: "[]"
    default: "0"
    }
  }
}

/// How a field is written: its names, types and default value.
extension Emitter {
  // MARK: Names

  func property(_ field: SchemaField) -> String { names.property(field) }
  func property(_ oneof: SchemaOneof) -> String { names.property(oneof) }

  /// The name of the stored property, as used inside the struct. A deprecated field is stored under a name that is not
  /// deprecated, or generated code would cause warnings.
  func stored(_ field: SchemaField) -> String {
    isStoredPrivately(field) ? "_\(property(field))" : Identifier.escaped(property(field))
  }

  /// @Indirect, @Boxed and @Default use the name with the underscore.
  func isStoredPrivately(_ field: SchemaField) -> Bool {
    field.isDeprecated && !layout.isIndirect(field) && !hasDefault(field) && field.oneof == nil
  }

  /// A field's stored value, as used inside the struct; nil when the field is not set, where it can be unset.
  func kept(_ field: SchemaField) -> String {
    if hasDefault(field) { return "_\(property(field)).projectedValue" }
    return layout.isIndirect(field) && field.isDeprecated ? "_\(property(field)).wrappedValue" : stored(field)
  }

  /// Sets a field in an initialiser; with `self` in front where another name may hide it.
  func assignment(_ field: SchemaField, _ value: String, qualified: Bool) -> String {
    let isPlain = kept(field) == stored(field) && !isStoredPrivately(field)
    let target = qualified ? "self.\(isPlain ? property(field) : kept(field))" : kept(field)
    guard layout.isIndirect(field), field.isDeprecated else { return "\(target) = \(value)" }
    return "\(qualified ? "self." : "")_\(property(field)) = \(runtime(box(field)))(wrappedValue: \(value))"
  }

  /// Whether the field has a default value of its own, and presence.
  func hasDefault(_ field: SchemaField) -> Bool { field.shape == .optional && declaredDefault(field) != nil }

  /// The wrapper that keeps a field on the heap.
  private func box(_ field: SchemaField) -> String {
    field.shape == .required && !field.isRequiredCycle ? "Boxed" : "Indirect"
  }

  /// The property's attribute and a space; empty for none.
  func wrapper(of field: SchemaField) -> String {
    if layout.isIndirect(field) { return "@\(runtime(box(field))) " }
    guard hasDefault(field), let value = declaredDefault(field) else { return "" }
    return "@\(runtime("Default"))(\(value)) "
  }

  // MARK: Types

  /// The type of one value.
  func elementType(_ type: FieldType) -> String {
    switch type {
    case .scalar(let scalar): scalar.swiftName.map { standard($0) } ?? "[\(standard("UInt8"))]"
    case .enumeration(let enumeration): names.reference(enumeration, from: scope)
    case .message(let message): names.reference(message, from: scope)
    }
  }

  /// The type of the property; that of a field with a default value of its own is not an Optional.
  func propertyType(_ field: SchemaField) -> String {
    hasDefault(field) ? elementType(field.type) : swiftType(field)
  }

  /// The type of a field's stored value, or of a member of a oneof.
  func swiftType(_ field: SchemaField) -> String {
    if let (key, value) = field.mapTypes { return "[\(elementType(key)): \(elementType(value))]" }
    let element = elementType(field.type)
    if field.isRequiredCycle { return "\(element)?" }
    return switch field.shape {
    case .plain, .required, .oneof, .map: element
    case .optional: "\(element)?"
    case .repeated: "[\(element)]"
    }
  }

  /// The value of a field that is not set; nil for a required message, which has none.
  func defaultValue(_ field: SchemaField) -> String? {
    if field.isRequiredCycle { return "nil" }
    switch field.shape {
    case .optional, .oneof: return "nil"
    case .repeated: return "[]"
    case .map: return "[:]"
    case .plain, .required:
      switch field.type {
      case .scalar(let scalar): return scalar.defaultValue
      case .message: return nil
      case .enumeration(let enumeration):
        // Zero in proto3, whatever comes first in proto2.
        return names.cases(enumeration).first.map { ".\($0)" }
      }
    }
  }

  // MARK: The table

  /// A line of a message's table.
  func tableLine(_ field: SchemaField) -> String {
    "\(runtime("Field"))(\"\(field.name)\", \(field.number), \(storedTableType(field))"
      + (field.jsonName.map { ", json: \(CodeWriter.literal($0))" } ?? "") + "),"
  }

  /// The type of a field with how its property keeps it.
  private func storedTableType(_ field: SchemaField) -> String {
    let type = tableType(field)
    if field.oneof != nil { return type }
    if layout.isIndirect(field) { return box(field) == "Boxed" ? ".boxed(\(type))" : ".indirect(\(type))" }
    guard hasDefault(field), let value = declaredDefault(field) else { return type }
    return ".optional(\(valueType(field)), default: \(defaultLiteral(value, of: field)))"
  }

  /// A default value, which stands where its type is not known.
  private func defaultLiteral(_ value: String, of field: SchemaField) -> String {
    switch field.type {
    case .scalar(.string), .scalar(.bool): value
    case .enumeration,
      .scalar where value.hasPrefix("."):
      elementType(field.type) + value
    case .scalar where value.hasPrefix("-."): "-\(elementType(field.type))\(value.dropFirst())"
    default: "\(elementType(field.type))(\(value))"
    }
  }

  /// The type of a field, as the table has it.
  func tableType(_ field: SchemaField) -> String {
    switch field.shape {
    case .plain: valueType(field)
    case .optional: isMessage(field) ? valueType(field) : ".optional(\(valueType(field)))"
    case .required: ".required(\(valueType(field)))"
    case .repeated(packed: true): ".packed(\(valueType(field)))"
    case .repeated: ".repeated(\(valueType(field)))"
    case .oneof: ".oneof(\(CodeWriter.literal(field.oneof?.name ?? "")), \(valueType(field)))"
    case .map: field.mapTypes.map { ".map(\(tableType($0.key)), \(tableType($0.value)))" } ?? valueType(field)
    }
  }

  private func isMessage(_ field: SchemaField) -> Bool {
    if case .message = field.type { true } else { false }
  }

  private func valueType(_ field: SchemaField) -> String { tableType(field.type, field.encoding) }

  private func tableType(_ type: FieldType, _ encoding: SchemaField.Encoding = .lengthPrefixed) -> String {
    switch (type, encoding) {
    case (.scalar(let scalar), _): ".\(scalar.rawValue)"
    case (.enumeration, _): ".enum(\(elementType(type)).self)"
    case (.message, .lengthPrefixed): ".message(\(elementType(type)).self)"
    case (.message, .delimited): ".delimited(\(elementType(type)).self)"
    case (.message, .group): ".group(\(elementType(type)).self)"
    }
  }
}

/// `[default = …]` as Swift writes it.
extension Emitter {
  /// nil when the schema sets none, or one that this generator does not understand.
  func declaredDefault(_ field: SchemaField) -> String? {
    guard let text = field.defaultText else { return nil }
    switch field.type {
    case .scalar(.float), .scalar(.double): return Self.number(text)
    case .scalar(.string): return CodeWriter.literal(text)
    case .scalar(.bytes): return "[\(Self.bytes(text).map { String($0) }.joined(separator: ", "))]"
    case .scalar(.bool): return Bool(text)?.description
    case .scalar: return Int64(text) == nil && UInt64(text) == nil ? nil : text
    case .enumeration(let enumeration):
      let index = enumeration.values.firstIndex { $0.name == text }
      return index.map { ".\(names.cases(enumeration)[$0])" }
    case .message: return nil
    }
  }

  private static func number(_ text: String) -> String? {
    switch text {
    case "inf": ".infinity"
    case "-inf": "-.infinity"
    case "nan", "-nan": ".nan"
    // An integer literal would lose the sign.
    case "-0": "-0.0"
    default: Double(text) == nil ? nil : text
    }
  }

  /// protoc writes bytes with the escapes of C (CEscape in strutil.cc).
  private static func bytes(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
        result.append(byte)
        continue
      }
      switch escape {
      case UInt8(ascii: "n"): result.append(10)
      case UInt8(ascii: "r"): result.append(13)
      case UInt8(ascii: "t"): result.append(9)
      case UInt8(ascii: "0")...UInt8(ascii: "3"):
        let digits = [escape] + rest.prefix(2)
        rest = rest.dropFirst(2)
        result.append(digits.reduce(0) { $0 << 3 | ($1 & 7) })
      default: result.append(escape)
      }
    }
    return result
  }
}

extension Emitter {
  /// The file's extensions, those of one message together, in the order in which the messages come.
  func emitExtensions() {
    var seen: Set<ObjectIdentifier> = []
    for first in file.extensions where seen.insert(ObjectIdentifier(first.extendee)).inserted {
      writer.blank()
      type("extension \(names.reference(first.extendee, from: []))", names.path(first.extendee)) {
        for (index, field) in file.extensions.filter({ $0.extendee === first.extendee }).enumerated() {
          if index > 0 { writer.blank() }
          emitExtension(field)
        }
      }
    }
  }

  private func emitExtension(_ extended: SchemaExtension) {
    let field = extended.field
    let base = names.reference(extended.extendee, from: scope)
    let value = propertyType(field)
    let name = names.property(extended)
    let fact = "`\(extended.fullName)`, extension \(field.number)."
    writer.documentation(extended.comment, fact)
    deprecation(field.isDeprecated)
    writer.block("\(access)var \(Identifier.escaped(name)): \(value)") {
      writer.line("get { self[Self.\(name)] }")
      writer.line("set { self[Self.\(name)] = newValue }")
    }
    writer.line("/// \(fact)")
    let arguments =
      [CodeWriter.literal(extended.fullName), "\(field.number)", tableType(field)]
      + (hasDefault(field) ? declaredDefault(field).map { ["default: \($0)"] } ?? [] : [])
    writer.list(
      "\(access)static let \(Identifier.escaped(name)) = \(runtime("MessageExtension"))<\(base), \(value)>(", arguments,
      ")")
  }
}
