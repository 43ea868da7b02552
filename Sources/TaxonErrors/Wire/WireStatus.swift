// SPDX-License-Identifier: Apache-2.0

/// A failed call as its trailers say it.
///
/// The details are a `google.rpc.Status` with, in this order and at most one of each: `ErrorInfo`, the error itself,
/// `taxon.ErrorTraits`, `RetryInfo`, `BadRequest`, and whatever the thrower added. Personal fields are in the error
/// itself alone, internal fields nowhere.
public struct WireStatus: Hashable, Sendable {
  /// 8 KiB, which is what peers commonly take.
  public static let defaultBudget = 8192

  /// For `grpc-status`; never `.ok`.
  public let code: StatusCode
  /// For `grpc-message`, before percent-encoding; may be empty.
  public let message: String
  /// For `grpc-status-details-bin`, before base64. Empty only when not even the status fits the budget.
  public let details: [UInt8]
  /// For `grpc-retry-pushback-ms`: milliseconds.
  public let retryPushback: Int64?
  /// Names this occurrence, here and in the log.
  public var instanceID: String { id.text }
  private let id: InstanceID
  /// What had to be left out to keep the budget: names of message types, "metadata.<key>", "message". To be logged.
  public let dropped: [String]

  /// The trailers of an error.
  ///
  /// - Parameter budget: bytes, as HTTP/2 counts a header list: 32 for each header beside name and value (RFC 9113
  ///   §10.5.1), after base64 and percent-encoding. Over it, details go from the end of the list, `ErrorInfo` last;
  ///   then its metadata, largest first; then the end of the message.
  public init(_ error: some TaxonomyError, budget: Int = defaultBudget) {
    self = error.wireStatus(budget: budget)
  }

  /// The trailers of anything thrown. What is no taxonomy error, and has no conversion to one, leaves as
  /// `INTERNAL_ERROR` with nothing of what it says.
  public init(_ error: some Error, budget: Int = defaultBudget) {
    self = RPCError.lift(error).wireStatus(budget: budget)
  }

  init(_ writer: StatusWriter, budget: Int, payload: StatusWriter.Payload) {
    code = writer.facts.status
    id = writer.id
    retryPushback = writer.retryAfter.map(\.pushbackMilliseconds)
    let details: [UInt8]? = ProtobufBytes.withScratch { bytes in
      writer.write(to: &bytes, payload)
      return TrailerCost.fits(writer.message, details: bytes.count, budget) ? bytes.bytes : nil
    }
    if let details {
      message = writer.message
      self.details = details
      dropped = []
    } else {
      let fitted = writer.fit(budget, payload)
      message = fitted.message
      self.details = fitted.details
      dropped = fitted.dropped
    }
  }
}

extension Duration {
  /// Whole milliseconds, rounded up so that nobody comes too early; as many as gRPC's header may say.
  var pushbackMilliseconds: Int64 {
    let most = Duration.milliseconds(Int32.max)
    if self <= .zero { return 0 }
    if self >= most { return Int64(Int32.max) }
    let (seconds, attoseconds) = components
    let perMillisecond: Int64 = 1_000_000_000_000_000
    return seconds * 1000 + (attoseconds + perMillisecond - 1) / perMillisecond
  }
}

/// What an error's trailers take of a peer's limit on header lists.
struct TrailerCost {
  private let message: Int

  init(message: String) {
    self.message = GRPCMessage.encodedCount(message)
  }

  func bytes(details: Int) -> Int { Self.fixed + message + (details * 4 + 2) / 3 }

  /// Whether they keep a budget; mostly seen without counting what the message takes.
  static func fits(_ message: String, details: Int, _ budget: Int) -> Bool {
    fixed + message.utf8.count * 3 + (details * 4 + 2) / 3 <= budget
      || TrailerCost(message: message).bytes(details: details) <= budget
  }

  /// Names, 32 bytes for each of the four headers, two digits of status and ten of pushback.
  private static let fixed = 11 + 12 + 23 + 22 + 4 * 32 + 2 + 10
}
