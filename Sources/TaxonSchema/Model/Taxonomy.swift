// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A file's `option (taxon.taxonomy)`.
package struct Taxonomy {
  package var domain: String
  /// The name of the root type; nil for none.
  package var name: String?
  package var reservedCodes: [String]
  package var place: OptionPlace

  /// Where the name of the root type is written.
  package var namePlace: Place { place.field(2, naming: name.map { "\"\($0)\"" }) }
}

/// A name in a `raises` option, as written.
package struct RaisedName {
  package var name: String
  package var place: Place
}

/// The places of an option and its fields.
///
/// `option (x) = { a: 1 }` has one location for all of it; `option (x).a = 1` has one for the field.
package struct OptionPlace {
  package var path: DescriptorPath
  package var sources: SourceMap

  package var whole: Place { sources.place(ofOption: path) }

  /// The place of one field, or of `text` in it, when the source can be read.
  package func field(_ number: Int32, naming text: String? = nil) -> Place {
    let place = sources.hasPlace(path + [number]) ? sources.place(path + [number]) : whole
    return text.map { place.naming($0) } ?? place
  }
}

/// What a category or an error declares itself; nil means what the category around it has.
package struct DeclaredTraits {
  package var status: Google_Rpc_Code?
  package var http: Int32?
  package var severity: Severity?
  package var retry: RetryClass?
  package var breaker: BreakerClass?
  package var isRetrySafe: Bool?
  package var retryAfter: Google_Protobuf_Duration?
  package var details = DetailTemplates()
  package var place: OptionPlace
  package var numbers: Numbers

  /// The field numbers of the traits in the option's message.
  package struct Numbers {
    var status: Int32
    var http: Int32
    var retryAfter: Int32
    static let category = Numbers(status: 1, http: 2, retryAfter: 7)
    static let error = Numbers(status: 3, http: 4, retryAfter: 9)
  }
}

/// The traits of an error, with what it inherits.
package struct Traits {
  package var status: Google_Rpc_Code
  package var http: Int32
  package var severity: Severity
  package var retry: RetryClass
  package var breaker: BreakerClass
  package var isRetrySafe: Bool
  package var retryAfter: Google_Protobuf_Duration?
}

/// What a message that is an error declares.
package struct ErrorFacts {
  package var code: String
  /// Whether the schema sets the code; else it is made from the message's name.
  package var isCodeDeclared: Bool
  package var template: Template
  /// The template as written; empty when there is none.
  package var templateText: String
  package var declared: DeclaredTraits
  package var place: OptionPlace { declared.place }

  package static let codeNumber: Int32 = 1
  package static let messageNumber: Int32 = 2
}

extension DeclaredTraits {
  /// These traits; what they leave unset comes from `outer`.
  fileprivate func inheriting(_ outer: DeclaredTraits?) -> DeclaredTraits {
    guard let outer else { return self }
    var result = self
    result.status = status ?? outer.status
    // An HTTP status goes with the gRPC status it was declared for: another gRPC status has its own usual one.
    result.http = http ?? (result.status == outer.status ? outer.http : nil)
    result.severity = severity ?? outer.severity
    result.retry = retry ?? outer.retry
    result.breaker = breaker ?? outer.breaker
    result.isRetrySafe = isRetrySafe ?? outer.isRetrySafe
    result.retryAfter = retryAfter ?? outer.retryAfter
    result.details = details.inheriting(outer.details)
    return result
  }
}

extension SchemaMessage {
  /// What a category or an error declares together with what it inherits.
  package var inheritedTraits: DeclaredTraits? {
    guard let own = category ?? error?.declared else { return nil }
    return own.inheriting(categories.last?.inheritedTraits)
  }

  /// The traits of an error; nil when it has no status.
  package var traits: Traits? {
    guard let traits = inheritedTraits, let status = traits.status else { return nil }
    let http = traits.http ?? HTTPRules.usual(status)
    return Traits(
      status: status, http: http, severity: traits.severity ?? .error, retry: traits.retry ?? .never,
      breaker: traits.breaker ?? (http >= 500 ? .failure : .neutral), isRetrySafe: traits.isRetrySafe ?? false,
      retryAfter: traits.retryAfter)
  }

  /// What an error, or the categories around it, say of its details.
  package var detailTemplates: DetailTemplates { inheritedTraits?.details ?? DetailTemplates() }

  /// The field that says how long to wait before a retry, and in which unit.
  package var retryAfterField: (field: SchemaField, unit: TimeUnit)? {
    for field in fields {
      if let unit = field.rules?.retryAfter, unit != .unspecified { return (field, unit) }
    }
    return nil
  }

  /// The template, or the words of the code where the schema gives none.
  package var template: Template {
    guard let error else { return Template() }
    guard error.templateText.isEmpty else { return error.template }
    let words = error.code.split(separator: "_").joined(separator: " ").lowercased()
    return Template(parts: [.text(words.prefix(1).uppercased() + words.dropFirst())])
  }
}

/// Which HTTP status goes with which gRPC status.
enum HTTPRules {
  /// The usual HTTP status (google/rpc/code.proto).
  static func usual(_ status: Google_Rpc_Code) -> Int32 {
    switch status {
    case .ok: 200
    case .cancelled: 499
    case .unknown, .internal, .dataLoss, .unrecognized: 500
    case .invalidArgument, .failedPrecondition, .outOfRange: 400
    case .deadlineExceeded: 504
    case .notFound: 404
    case .alreadyExists, .aborted: 409
    case .permissionDenied: 403
    case .resourceExhausted: 429
    case .unimplemented: 501
    case .unavailable: 503
    case .unauthenticated: 401
    }
  }

  /// The only gRPC status that may have this HTTP status.
  private static let owners: [Int32: Google_Rpc_Code] = [
    401: .unauthenticated, 403: .permissionDenied, 404: .notFound, 429: .resourceExhausted, 499: .cancelled,
    501: .unimplemented, 504: .deadlineExceeded,
  ]

  /// What is wrong with the pair and how to mend it, or nil when all is well.
  static func contradiction(_ status: Google_Rpc_Code, _ http: Int32) -> String? {
    let usual = usual(status)
    let mend = "leave http out for \(usual)"
    guard (400...599).contains(http) else {
      return "http \(http) is not an error; choose 400 to 599, or \(mend)"
    }
    // HTTP has more than one word for what a server does not have.
    if status == .unimplemented, [404, 405, 415].contains(http) { return nil }
    if let owner = owners[http], owner != status {
      return "status \(status) and http \(http) contradict each other, \(http) belongs to \(owner); "
        + "\(mend), or declare status \(owner)"
    }
    if status == .resourceExhausted {
      guard ![413, 429, 431, 503, 507].contains(http) else { return nil }
      return
        "status \(status) and http \(http) contradict each other, \(status) goes with 413, 429, 431, 503 or 507; \(mend)"
    }
    guard http / 100 != usual / 100 else { return nil }
    let range = usual / 100 == 4 ? "400 to 499" : "500 to 599"
    return "status \(status) and http \(http) contradict each other, \(status) goes with \(range); \(mend)"
  }
}
