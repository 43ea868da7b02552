// SPDX-License-Identifier: Apache-2.0

/// What a log says of an error: for the process that raised or received it, never for the wire. It has no personal and no
/// internal fields; of a cause that is not a taxonomy error it has the type alone, since its text may be anything, such as a
/// statement in SQL with what users typed (`foreignCause`).
public struct ErrorLogEntry: Sendable {
  /// How loud; raw values are those of swift-log.
  public enum Level: String, Hashable, Sendable {
    /// Diagnostic information.
    case debug
    /// Normal operation.
    case info
    /// Degraded operation, not critical.
    case warning
    /// An operation failed and wants attention.
    case error
    /// The system failed and wants attention at once.
    case critical
  }

  /// One pair of metadata.
  public struct Pair: Hashable, Sendable {
    /// Such as "error.code".
    public var key: String
    /// As text.
    public var value: String
  }

  /// From the error's severity.
  public var level: Level
  /// The error's message.
  public var message: String
  /// `error.code`, `error.domain`, `error.status`, `error.instance_id`, `error.injected` ("true") for one that was raised on
  /// purpose, `error.field.<name>` for each safe field, `error.context` with what was being done, outermost first, and
  /// `error.cause` with the chain of causes, nearest first: domain, code, message and contexts of taxonomy errors, and the type of a
  /// foreign one.
  public var metadata: [Pair]
  /// The nearest cause that is not a taxonomy error; nil when there is none. Its text is for debugging alone.
  public var foreignCause: (any Error)?

  /// The entry for an error.
  ///
  /// - Parameter instanceID: under which it was sent (`WireStatus.instanceID`); by default, the one it came with.
  public init(_ error: any Error, instanceID: String? = nil) {
    let error = unwrapped(error as? any TaxonomyError ?? RPCError.lift(error))
    level = Level(error.severity)
    message = error.message.isEmpty ? error.code : error.message
    metadata = [
      Pair(key: "error.code", value: error.code),
      Pair(key: "error.domain", value: error.domain),
      Pair(key: "error.status", value: error.status.name),
    ]
    if let instanceID = instanceID ?? error.instanceID {
      metadata.append(Pair(key: "error.instance_id", value: instanceID))
    }
    if error.isInjected { metadata.append(Pair(key: "error.injected", value: "true")) }
    for (key, value) in error.metadata.sorted(by: { $0.key < $1.key }) {
      metadata.append(Pair(key: "error.field.\(key)", value: value))
    }
    if !error.contexts.isEmpty {
      metadata.append(Pair(key: "error.context", value: error.contexts.joined(separator: " <- ")))
    }
    let (causes, foreign) = causeDescriptions(error)
    foreignCause = foreign
    if !causes.isEmpty {
      metadata.append(Pair(key: "error.cause", value: causes.joined(separator: " <- ")))
    }
  }
}

extension ErrorLogEntry.Level {
  /// The level of a severity; an unknown one is an error.
  public init(_ severity: Severity) {
    switch severity {
    case .debug: self = .debug
    case .info: self = .info
    case .warning: self = .warning
    case .critical: self = .critical
    default: self = .error
    }
  }
}

/// The chain of causes as a log shows it, and the nearest foreign error in it.
private func causeDescriptions(_ error: any TaxonomyError) -> (texts: [String], foreign: (any Error)?) {
  var descriptions: [String] = []
  var foreign: (any Error)?
  var last = error
  for cause in ErrorChain(error).dropFirst() {
    if let error = cause as? any TaxonomyError {
      descriptions.append(description(of: error))
      last = error
    } else if let error = cause as? ContextError {
      // Its own type says nothing; the error inside comes next.
      descriptions.append("(\(error.contexts.joined(separator: " <- ")))")
    } else {
      descriptions.append(String(reflecting: type(of: cause)))
      foreign = foreign ?? cause
    }
  }
  // Of the causes of a received error, only the names are known.
  if last.cause == nil { descriptions += last.causes.map(\.description) }
  return (descriptions, foreign)
}

/// Not its own description, which an error without a schema may make of what it likes.
private func description(of error: any TaxonomyError) -> String {
  var text = "\(error.identity)"
  if !error.message.isEmpty { text += ": \(error.message)" }
  if !error.contexts.isEmpty { text += " (\(error.contexts.joined(separator: " <- ")))" }
  if let instanceID = error.instanceID { text += " [\(instanceID)]" }
  return text
}
