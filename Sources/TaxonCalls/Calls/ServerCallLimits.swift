// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonTransport

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
  package func errors(with trailing: [HeaderBlock.Field] = [], isSplit: Bool = false) -> WireOptions {
    var options = WireOptions(budget: maxTrailersSize)
    options.details = details
    options.framing = isSplit ? .split : framing
    if !trailing.isEmpty { options.reserved = HeaderBlock.Field.byteCount(trailing) + 32 * trailing.count }
    return options
  }
}
