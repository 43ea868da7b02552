// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonTransport

extension Metadata {
  /// The languages that a request asks for: `grpc-accept-language`, which only a caller's program sets, or else
  /// `accept-language`, which browsers add by themselves. Several fields are one list (RFC 9110 §5.3).
  fileprivate var languages: String? {
    var own: String?
    var general: String?
    for entry in entries {
      guard case .text(let text) = entry.value else { continue }
      switch entry.name {
      case "grpc-accept-language": own = own.map { "\($0),\(text)" } ?? text
      case "accept-language": general = general.map { "\($0),\(text)" } ?? text
      default: break
      }
    }
    return own ?? general
  }
}

/// What a server allows one call.
public struct ServerCallLimits: Sendable {
  /// Bytes of one message of a request, as it comes and after it is decompressed.
  public var maxMessageSize = 4 * 1024 * 1024
  /// Bytes of a request's headers, each field counted with 32 on top.
  public var maxHeaderListSize = 16 * 1024
  /// Bytes of the trailers that carry an error, counted in the same way, with all that goes with them; see
  /// `WireOptions.budget`.
  public var maxTrailersSize = WireStatus.defaultBudget
  /// Which errors carry details that Taxon derives.
  public var details = WireOptions.Details.all
  /// Whether an error before any message is one frame or two.
  public var framing = WireOptions.Framing.bySchema
  /// The header that names a request, such as "x-request-id", in lower case: its value goes with errors, as
  /// `google.rpc.RequestInfo`, and into the log, and is `ServerContext.requestID`. Nil: requests have no names. A value counts
  /// that has 1 to 128 characters of visible ASCII.
  public var requestIDHeader: String?
  /// Half of a stream's window.
  package var creditStep = 32 * 1024
  /// How replies are compressed for callers that accept it; nil: only those for which a handler asks.
  public var compression: CompressionSettings?

  /// The values above.
  public init() {}

  /// How errors are sent.
  ///
  /// - Parameters:
  ///   - trailing: What the handler sends with them.
  ///   - isSplit: The head of the reply goes before in any case, so the error need not fit one frame.
  ///   - request: What came with the request.
  package func errors(
    with trailing: [HeaderBlock.Field] = [], isSplit: Bool = false, request: Metadata
  ) -> WireOptions {
    var options = WireOptions(budget: maxTrailersSize)
    options.details = details
    options.framing = isSplit ? .split : framing
    if !trailing.isEmpty { options.reserved = HeaderBlock.Field.byteCount(trailing) + 32 * trailing.count }
    options.languages = request.languages
    options.requestID = requestID(request)
    return options
  }

  /// The name of a request, where it has one.
  package func requestID(_ request: Metadata) -> String? {
    guard let requestIDHeader else { return nil }
    for entry in request.entries where entry.name == requestIDHeader {
      guard case .text(let text) = entry.value, (1...128).contains(text.utf8.count),
        text.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
      else { return nil }
      return text
    }
    return nil
  }
}
