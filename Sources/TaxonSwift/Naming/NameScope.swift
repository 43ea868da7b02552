// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// A declaration that did not get the name that it would have alone, because an earlier one of its scope has it.
struct NameNote {
  /// Such as `field "userID"`.
  var what: String
  /// The name that it has.
  var name: String
  /// The name that it would have alone.
  var wanted: String
  var place: Place
  /// The declaration that has the wanted name; nil where Taxon itself has it.
  var owner: (what: String, place: Place)?
}

/// The names of one scope of Swift. Of declarations that would get the same name, the first keeps it, and the others get a
/// suffix: a schema that is not one's own cannot be renamed.
struct NameScope {
  /// A declaration that needs a name.
  struct Request {
    var wanted: String
    /// Tried before the numbers, in this order.
    var alternatives: [String] = []
    /// Such as `field "userID"`, for the note.
    var what: String
    var place: Place
  }

  private var taken: [String: (what: String, place: Place)?] = [:]

  /// A scope in which some names are taken by what is not of the schema.
  init(reserved: some Sequence<String> = []) {
    for name in reserved { taken.updateValue(nil, forKey: name) }
  }

  /// Names for some declarations, in their order. No suffix makes a name that another of them wants.
  mutating func names(for requests: [Request], _ note: (NameNote) -> Void = { _ in }) -> [String] {
    let wanted = Set(requests.map(\.wanted))
    return requests.map { request in
      var name = request.wanted
      if let owner = taken[name] {
        var candidates = request.alternatives[...]
        var number = 2
        repeat {
          if let alternative = candidates.popFirst() {
            name = alternative
          } else {
            name = "\(request.wanted)_\(number)"
            number += 1
          }
        } while taken[name] != nil || wanted.contains(name)
        note(NameNote(what: request.what, name: name, wanted: request.wanted, place: request.place, owner: owner))
      }
      taken.updateValue((request.what, request.place), forKey: name)
      return name
    }
  }
}
