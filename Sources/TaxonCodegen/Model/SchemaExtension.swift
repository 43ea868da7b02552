// SPDX-License-Identifier: Apache-2.0

/// An extension: a field of a message that is declared elsewhere.
final class SchemaExtension {
  let field: SchemaField
  unowned let file: SchemaFile
  /// The message that the declaration is nested in.
  unowned let scope: SchemaMessage?
  let fullName: String

  init(field: SchemaField, file: SchemaFile, scope: SchemaMessage?, fullName: String) {
    self.field = field
    self.file = file
    self.scope = scope
    self.fullName = fullName
  }

  /// The message that it extends.
  var extendee: SchemaMessage { field.message }
  var place: Place { file.sources.place(field.path + [Tag.name]) }
  var comment: String? { file.sources.comment(field.path) }
}
