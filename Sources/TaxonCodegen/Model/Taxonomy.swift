// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A file's `option (taxon.taxonomy)`.
struct Taxonomy {
  var domain: String
  /// The name of the root type, nil when there is to be none.
  var name: String?
  var reservedCodes: [String]
  var place: OptionPlace
}

/// A name in a `raises` option, as written.
struct RaisedName {
  var name: String
  var place: Place
}

/// The places of an option and its fields.
///
/// `option (x) = { a: 1 }` has one location for all of it; `option (x).a = 1` has one for the field.
struct OptionPlace {
  var path: DescriptorPath
  var sources: SourceMap

  var whole: Place { sources.place(ofOption: path) }

  /// The place of one field, or of `text` in it, when the source is at hand.
  func field(_ number: Int32, naming text: String? = nil) -> Place {
    let place = sources.hasPlace(path + [number]) ? sources.place(path + [number]) : whole
    return text.map { place.naming($0) } ?? place
  }
}

/// What a category or an error declares itself: nil is "as the category around it".
struct DeclaredTraits {
  var status: Google_Rpc_Code?
  var http: Int32?
  var severity: Severity?
  var retry: RetryClass?
  var breaker: BreakerClass?
  var isSafe: Bool?
  var retryAfter: Google_Protobuf_Duration?
  var place: OptionPlace
  var numbers: Numbers

  /// The field numbers of the traits in the option's message.
  struct Numbers {
    var status: Int32
    var http: Int32
    var retryAfter: Int32
    static let category = Numbers(status: 1, http: 2, retryAfter: 7)
    static let error = Numbers(status: 3, http: 4, retryAfter: 9)
  }
}

/// What holds for an error in the end.
struct Traits {
  var status: Google_Rpc_Code
  var http: Int32
  var severity: Severity
  var retry: RetryClass
  var breaker: BreakerClass
  var isSafe: Bool
  var retryAfter: Google_Protobuf_Duration?
}

/// What a message that is an error declares.
struct ErrorFacts {
  var code: String
  /// Whether the schema says the code, or it is made from the message's name.
  var isCodeDeclared: Bool
  var template: Template
  /// The template as written; empty when there is none.
  var templateText: String
  var declared: DeclaredTraits
  var place: OptionPlace { declared.place }

  static let codeNumber: Int32 = 1
  static let messageNumber: Int32 = 2
}
