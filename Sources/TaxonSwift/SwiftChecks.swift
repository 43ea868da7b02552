// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Tells of declarations that have another name in Swift than they would have alone, because an earlier one has it.
struct NameCheck {
  let names: SwiftNames

  func run(_ diagnostics: inout Diagnostics) {
    for note in names.notes {
      let reason =
        note.owner.map { "\($0.what) at \(diagnostics.describe($0.place)) is \(note.wanted)" }
        ?? "\(note.wanted) is Taxon's own"
      diagnostics.note(note.place, "\(note.what) is \(note.name) in Swift, because \(reason)")
    }
  }
}

/// Warns of fields that generated code has no property for.
struct OmissionCheck {
  let schema: Schema

  func run(_ diagnostics: inout Diagnostics) {
    for omission in schema.omissions {
      diagnostics.warning(
        omission.place,
        "extension \"\(omission.name)\" of the message set \(omission.messageSet.fullName) has no Swift name, its bytes "
          + "stay with the unknown fields; use an extension of another message or google.protobuf.Any instead")
    }
  }
}
