// SPDX-License-Identifier: Apache-2.0

/// Checks that categories are never sent, that errors agree with the fields of their categories, and that errors are
/// raised, not returned.
struct CategoryCheck {
  let schema: Schema

  func run(_ diagnostics: inout Diagnostics) {
    for file in schema.generatedFiles {
      for message in file.allMessages where !message.isMapEntry {
        checkFieldTypes(of: message, &diagnostics)
        for category in message.categories { checkFields(of: message, against: category, &diagnostics) }
      }
      for method in file.services.flatMap(\.methods) { checkTypes(of: method, &diagnostics) }
    }
  }

  private func checkFieldTypes(of message: SchemaMessage, _ diagnostics: inout Diagnostics) {
    for field in message.fields {
      guard case .message(let type) = field.mapTypes?.value ?? field.type, type.category != nil else { continue }
      diagnostics.error(
        field.place,
        "field \"\(field.name)\" has the type \(type.name), which is a category and never sent; "
          + "use one of its errors, or a message")
    }
  }

  private func checkTypes(of method: SchemaMethod, _ diagnostics: inout Diagnostics) {
    for (type, tag, verb) in [
      (method.input, Tag.methodInput, "takes"), (method.output, Tag.methodOutput, "returns"),
    ] {
      let place = method.service.file.sources.place(method.path + [tag])
      if type.category != nil {
        diagnostics.error(
          place, "method \(method.name) \(verb) \(type.name), which is a category and never sent; use a message")
      } else if type.error != nil {
        let mend =
          tag == Tag.methodOutput
          ? "its callers get it as a success; name it in raises, and return a message"
          : "take a message, which may have the error in a field"
        diagnostics.warning(place, "method \(method.name) \(verb) \(type.name), which is an error; \(mend)")
      }
    }
  }

  /// A field that an error or an inner category declares again must be the same field.
  private func checkFields(
    of message: SchemaMessage, against category: SchemaMessage, _ diagnostics: inout Diagnostics
  ) {
    guard message.category != nil || message.error != nil else { return }
    for field in message.fields {
      for outer in category.fields where !field.isSame(as: outer) {
        guard field.number == outer.number || field.name == outer.name else { continue }
        let where_ = "\(category.name) at \(diagnostics.describe(outer.place))"
        let what =
          field.number == outer.number && field.name == outer.name
          ? "is \(field.typeText), and \(outer.typeText) in category"
          : field.name == outer.name
            ? "has number \(field.number), and \(outer.number) in category"
            : "has number \(field.number), which belongs to \"\(outer.name)\" in category"
        diagnostics.error(
          field.place,
          "category field clash: \"\(field.name)\" \(what) \(where_); "
            + "declare it as \(outer.typeText) \(outer.name) = \(outer.number), or choose another name and number")
      }
    }
  }
}

extension SchemaField {
  fileprivate func isSame(as other: SchemaField) -> Bool {
    number == other.number && name == other.name && typeText == other.typeText
  }

  /// The type as a schema writes it.
  fileprivate var typeText: String {
    if let (key, value) = mapTypes { return "map<\(key.text), \(value.text)>" }
    return switch shape {
    case .plain, .map: type.text
    case .optional:
      if case .message = type { type.text } else { "optional \(type.text)" }
    case .required: "required \(type.text)"
    case .repeated: "repeated \(type.text)"
    case .oneof: "\(type.text) in a oneof"
    }
  }
}

extension FieldType {
  /// The type as a schema writes it.
  fileprivate var text: String {
    switch self {
    case .scalar(let scalar): scalar.rawValue
    case .enumeration(let enumeration): enumeration.fullName
    case .message(let message): message.fullName
    }
  }
}
