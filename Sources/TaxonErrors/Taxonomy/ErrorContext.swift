// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// What one occurrence of an error carries beside its fields. One word, and no allocation while there is nothing to
/// carry; takes no part in equality, so that two errors with the same fields are the same error.
public struct ErrorContext: MessageContext, Sendable {
  private struct Content {
    var retryAfter: Duration?
    var cause: (any Error)?
    var instanceID: String?
    var receivedCauses: [ErrorIdentity] = []
    var contexts: [String] = []
    var hidesCauses = false
    var details = ErrorDetails()
    var pushback: RetryPushback?
    var isPushbackRetryInfo = false
    var isFromCall = false
    var answer: (any Sendable)?
    var receivedDetails: [Google_Protobuf_Any] = []
    var omitted: [String] = []
    var injection: InjectedFault?
  }

  private indirect enum Box {
    case content(Content)
  }

  private var box: Box?

  /// An empty context.
  public init() {}

  /// An empty context, or one with what a thrower says.
  public init(retryAfter: Duration? = nil, cause: (any Error)? = nil) {
    guard retryAfter != nil || cause != nil else { return }
    box = .content(Content(retryAfter: retryAfter?.bounded, cause: cause))
  }

  /// How long to wait before a retry, when the thrower or the server says so; brought within ±315,576,000,000 s, where
  /// protobuf's durations end. What is not above zero is sent as zero, which tells a caller to come at once.
  public var retryAfter: Duration? {
    get { content?.retryAfter }
    set { change { $0.retryAfter = newValue?.bounded } }
  }

  /// What led to the error, in this process.
  public var cause: (any Error)? {
    get { content?.cause }
    set { change { $0.cause = newValue } }
  }

  /// What was being done when it was thrown, outermost first; for logs, never sent.
  public var contexts: [String] {
    get { content?.contexts ?? [] }
    set { change { $0.contexts = newValue } }
  }

  /// Names the occurrence.
  public var instanceID: String? {
    get { content?.instanceID }
    set { change { $0.instanceID = newValue } }
  }

  /// The taxonomy errors that led to it, nearest first: those of the cause here, then those that were received. Setting
  /// them sets the latter. Long chains are cut: a cycle cannot be, but a loop of services that call each other can.
  public var causes: [ErrorIdentity] {
    get {
      guard let content else { return [] }
      guard let cause = content.cause else { return content.receivedCauses }
      return Self.causes(from: ErrorChain(cause).compactMap { $0 as? any TaxonomyError }, content.receivedCauses)
    }
    set { change { $0.receivedCauses = Array(newValue.prefix(Self.maxCauses)) } }
  }

  private static let maxCauses = 16

  /// The identities of errors, nearest first, and behind them what was received with them, the innermost first.
  private static func causes(from chain: [any TaxonomyError], _ received: [ErrorIdentity]) -> [ErrorIdentity] {
    // No recursion: a chain may lead back to itself, and ends after so many errors.
    let behind = chain.reversed().flatMap { $0.context.content?.receivedCauses ?? [] }
    return Array((chain.map(\.identity) + behind + received).prefix(maxCauses))
  }

  /// The causes that callers may know of: all, but of an error that stands for one which nobody has declared only those that a
  /// call brought, by which a chain of services can be followed.
  var sentCauses: [ErrorIdentity] {
    guard let content, content.hidesCauses, let cause = content.cause else { return causes }
    let chain = ErrorChain(cause).compactMap { $0 as? any TaxonomyError }.drop { !$0.context.isFromCall }
    return Self.causes(from: Array(chain), content.receivedCauses)
  }

  /// True for an error that stands for one which nobody has declared: what led to it is for logs.
  var hidesCauses: Bool {
    get { content?.hidesCauses ?? false }
    set { change { $0.hidesCauses = newValue } }
  }

  /// Details that are to be sent: those that were added here. What came with the outcome of a call of ours concerns that call
  /// alone.
  var ownDetails: ErrorDetails {
    guard isFromCall, !details.isEmpty else { return details }
    let received = receivedDetails
    return ErrorDetails(details.filter { !received.contains($0) })
  }

  /// Standard details, and details of types that this process doesn't know.
  public var details: ErrorDetails {
    get { content?.details ?? ErrorDetails() }
    set { change { $0.details = newValue } }
  }

  /// What the server said about retries.
  public var pushback: RetryPushback? {
    get { content?.pushback }
    set { change { $0.pushback = newValue } }
  }

  /// Every detail of the status that the error was read from, as it arrived.
  public internal(set) var receivedDetails: [Google_Protobuf_Any] {
    get { content?.receivedDetails ?? [] }
    set { change { $0.receivedDetails = newValue } }
  }

  /// What the server left out because it did not fit.
  public internal(set) var omitted: [String] {
    get { content?.omitted ?? [] }
    set { change { $0.omitted = newValue } }
  }

  /// True when the pushback says once more what RetryInfo says.
  package var isPushbackRetryInfo: Bool {
    get { content?.isPushbackRetryInfo ?? false }
    set { change { $0.isPushbackRetryInfo = newValue } }
  }

  /// What came with the answer that the error was read from; the room that knows its type gives it out.
  package var answer: (any Sendable)? {
    get { content?.answer }
    set { change { $0.answer = newValue } }
  }

  /// True when the error is the outcome of a call which this process made.
  public var isFromCall: Bool {
    get { content?.isFromCall ?? false }
    set { change { $0.isFromCall = newValue } }
  }

  /// True when a fault injector raised the error on purpose, in this process or in the one it came from: nothing went wrong.
  public var isInjected: Bool {
    get { injection != nil }
    set { if newValue != isInjected { injection = newValue ? InjectedFault() : nil } }
  }

  /// How the error was injected; nil for a real one.
  package var injection: InjectedFault? {
    get { content?.injection }
    set { change { $0.injection = newValue } }
  }

  private var content: Content? {
    guard case .content(let content) = box else { return nil }
    return content
  }

  private mutating func change(_ body: (inout Content) -> Void) {
    var content = content ?? Content()
    body(&content)
    box = .content(content)
  }
}

extension ErrorContext: Hashable {
  /// Always true.
  public static func == (left: Self, right: Self) -> Bool { true }

  /// Adds nothing.
  public func hash(into hasher: inout Hasher) {}
}

/// Marks an error as raised on purpose, and says how its wire form is damaged.
package struct InjectedFault: Sendable, Hashable {
  /// What is wrong with the details that are sent; nil: nothing.
  package var damage: DetailsDamage?

  /// A mark; the details are damaged if so wished.
  package init(damage: DetailsDamage? = nil) {
    self.damage = damage
  }
}

/// Damage to the details of a status on the wire, for tests of whoever reads them.
package enum DetailsDamage: Sendable, Hashable {
  /// The error's message is missing, and with it its fields in ErrorInfo.
  case payloadMissing
  /// `grpc-status-details-bin` ends in its middle.
  case truncated
  /// So many bytes of an unknown detail come on top, whatever the budget.
  case oversized(Int)
}

/// What a server says about retries in `grpc-retry-pushback-ms` (gRPC A6, "Pushback").
public enum RetryPushback: Hashable, Sendable {
  /// Retry, after this long.
  case after(Duration)
  /// Do not retry.
  case stop

  /// Reads the header: milliseconds. A negative value, and a value that is not a number, mean stop (A6).
  public init(header: String) {
    if let milliseconds = Int64(header), milliseconds >= 0, milliseconds <= Int64(Int32.max) {
      self = .after(.milliseconds(milliseconds))
    } else {
      self = .stop
    }
  }
}
