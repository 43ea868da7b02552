// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// How a server sends errors: what of them, how many bytes, and in how many frames.
public struct WireOptions: Hashable, Sendable {
  /// Which errors carry details that Taxon derives.
  public enum Details: Hashable, Sendable {
    /// Declared errors, those that Taxon itself raises among them; a plain INTERNAL carries its instance id.
    case all
    /// Errors of the service's own schemas alone. What Taxon raises is a status and a message, as other gRPC libraries
    /// have it; the instance id is in the log. What a thrower adds is sent in any case.
    case declaredOnly
  }

  /// Whether an error that comes before any message is one frame (Trailers-Only), or headers and then trailers.
  ///
  /// gRPC clients and Envoy retry only what comes as one frame (gRPC A6), and Envoy counts only that against a host; nginx
  /// takes no frame whose header block is larger than a page of memory, which it does take as trailers.
  public enum Framing: Hashable, Sendable {
    /// By what the schema says of the error. What may be retried is one frame, its details cut to `maxFrameBlock` bytes. What
    /// may not be, does not count as a failure of the server and has a status that Envoy counts against it is split. All else
    /// is one frame where the block has at most `maxFrameBlock` bytes.
    case bySchema
    /// One frame, whatever its size within the budget.
    case oneFrame
    /// Headers and then trailers.
    case split
  }

  /// Bytes, as HTTP/2 counts a header list: 32 for each field beside name and value (RFC 9113 §10.5.1), after base64 and
  /// percent-encoding; with `:status`, `content-type`, and 180 bytes that proxies may add.
  public var budget = WireStatus.defaultBudget
  /// Which errors carry derived details.
  public var details = Details.all
  /// How many frames an error takes.
  public var framing = Framing.bySchema
  /// Bytes of other fields that go with the error, counted in the same way: the handler's trailing metadata.
  public var reserved = 0
  /// The languages that the request asks for, as `accept-language` has them (RFC 9110 §12.5.4); nil where it does not.
  public var languages: String?
  /// The request's id, for `RequestInfo` of declared errors; nil for none.
  public var requestID: String?

  /// Bytes of the header block of an error in one frame, counted like the budget without what proxies add. nginx has room for
  /// 4,096 of names and values.
  public static let maxFrameBlock = 3000

  /// The values above.
  public init() {}

  /// The values above with another budget.
  public init(budget: Int) { self.budget = budget }
}
