// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// Warns of fields that generated code has no property for.
struct OmissionCheck {
  let schema: Schema

  func run(_ diagnostics: inout Diagnostics) {
    for omission in schema.omissions {
      switch omission.kind {
      case .group:
        diagnostics.warning(
          omission.place,
          "group \"\(omission.name)\" has no Swift type, its bytes stay with the unknown fields; "
            + "use a message field instead")
      case .inMessageSet(let set):
        diagnostics.warning(
          omission.place,
          "extension \"\(omission.name)\" of the message set \(set.fullName) has no Swift name, its bytes "
            + "stay with the unknown fields; use an extension of another message or google.protobuf.Any instead")
      }
    }
  }
}
