// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Details that came with an error or are to go with it, in their order. They are kept as they travel and decoded when asked
/// for: one of an unknown type is passed through, and one that cannot be decoded affects no other.
public struct ErrorDetails: Hashable, Sendable {
  private var list: [Google_Protobuf_Any]

  /// These details, in this order.
  public init(_ details: [Google_Protobuf_Any] = []) {
    list = details
  }

  /// True when there are none.
  public var isEmpty: Bool { list.isEmpty }

  /// Adds a detail behind the others, whatever types they have. Of a declared error its internal fields are left out, since details
  /// leave the process. A message over 2 GiB, which cannot be encoded, is left out.
  public mutating func append(_ detail: some Message) {
    let detail: any Message = (detail as? any DeclaredError)?.publicPayload ?? detail
    if let detail = try? Google_Protobuf_Any(packing: detail) { list.append(detail) }
  }

  /// Adds a detail behind the others; it is sent as it is, with its type URL.
  public mutating func append(_ detail: Google_Protobuf_Any) { list.append(detail) }

  /// All details of a type that can be decoded, in their order.
  public func all<Detail: Message>(_ type: Detail.Type) -> [Detail] {
    list.compactMap { try? $0.unpacked(as: type) }
  }

  /// The first detail of a type; nil when there is none, or when it cannot be decoded. Setting replaces those there are.
  public subscript<Detail: Message>(_ type: Detail.Type) -> Detail? {
    get { try? list.first { $0.holds(type) }?.unpacked(as: type) }
    set {
      list.removeAll { $0.holds(type) }
      if let newValue { append(newValue) }
    }
  }
}

extension ErrorDetails: Sequence {
  /// Goes through the details in their order.
  public func makeIterator() -> IndexingIterator<[Google_Protobuf_Any]> { list.makeIterator() }
}

extension ErrorDetails {
  /// Which request it was.
  public var requestInfo: Google_Rpc_RequestInfo? {
    get { self[Google_Rpc_RequestInfo.self] }
    set { self[Google_Rpc_RequestInfo.self] = newValue }
  }

  /// Which resource was meant.
  public var resourceInfo: Google_Rpc_ResourceInfo? {
    get { self[Google_Rpc_ResourceInfo.self] }
    set { self[Google_Rpc_ResourceInfo.self] = newValue }
  }

  /// Where to read more.
  public var help: Google_Rpc_Help? {
    get { self[Google_Rpc_Help.self] }
    set { self[Google_Rpc_Help.self] = newValue }
  }

  /// The message in the user's language.
  public var localizedMessage: Google_Rpc_LocalizedMessage? {
    get { self[Google_Rpc_LocalizedMessage.self] }
    set { self[Google_Rpc_LocalizedMessage.self] = newValue }
  }

  /// Which fields of the request are wrong.
  public var badRequest: Google_Rpc_BadRequest? {
    get { self[Google_Rpc_BadRequest.self] }
    set { self[Google_Rpc_BadRequest.self] = newValue }
  }

  /// Which quota was exceeded.
  public var quotaFailure: Google_Rpc_QuotaFailure? {
    get { self[Google_Rpc_QuotaFailure.self] }
    set { self[Google_Rpc_QuotaFailure.self] = newValue }
  }

  /// Which preconditions do not hold.
  public var preconditionFailure: Google_Rpc_PreconditionFailure? {
    get { self[Google_Rpc_PreconditionFailure.self] }
    set { self[Google_Rpc_PreconditionFailure.self] = newValue }
  }

  /// Where the error arose; for debugging, never for users.
  public var debugInfo: Google_Rpc_DebugInfo? {
    get { self[Google_Rpc_DebugInfo.self] }
    set { self[Google_Rpc_DebugInfo.self] = newValue }
  }
}

/// The details that Taxon derives, by the names of their messages.
enum DetailName {
  static let errorInfo = "google.rpc.ErrorInfo"
  static let errorTraits = "taxon.ErrorTraits"
  static let retryInfo = "google.rpc.RetryInfo"
  static let badRequest = "google.rpc.BadRequest"
  static let quotaFailure = "google.rpc.QuotaFailure"
  static let preconditionFailure = "google.rpc.PreconditionFailure"
  static let resourceInfo = "google.rpc.ResourceInfo"
  static let requestInfo = "google.rpc.RequestInfo"
  static let help = "google.rpc.Help"
  static let localizedMessage = "google.rpc.LocalizedMessage"
}
