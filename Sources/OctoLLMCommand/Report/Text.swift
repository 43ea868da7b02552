// SPDX-License-Identifier: Apache-2.0
import Foundation
import Taxon

extension String {
  /// With spaces after it, up to a width.
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  /// Cut to a width, with an ellipsis where something is missing.
  func cut(to width: Int) -> String {
    count <= width ? self : prefix(width - 1) + "…"
  }
}

extension Duration {
  /// Such as "0.25 s", to the hundredth of a second.
  var short: String { "\(String(format: "%.2f", self / .seconds(1))) s" }

  /// Such as "0.3", to the tenth of a second.
  var seconds: String { String(format: "%.1f", self / .seconds(1)) }
}

extension RetryDecision {
  /// A phrase with rounded times.
  var short: String {
    switch self {
    case .retry(let delay, .backoff): "retry in \(delay.short)"
    case .retry(let delay, .transparent): "sent again in \(delay.short)"
    case .retry(let delay, .hint), .retry(let delay, .pushback): "retry in \(delay.short), as the error asks"
    case .stop(let reason): "no retry: \(reason.short)"
    }
  }
}

extension StopReason {
  /// A phrase with rounded times.
  var short: String {
    switch self {
    case .notRetryable: "it would fail again"
    case .notIdempotent: "not idempotent"
    case .deadline(let needed, let left): "\(needed.short) to wait, \(left.short) left"
    default: description
    }
  }
}

extension CallEvent {
  /// A line with rounded times.
  var short: String {
    switch self {
    case .attemptFailed(_, let attempt, let error, let decision): "attempt \(attempt): \(error.code), \(decision.short)"
    case .breaker(let transition): "\(transition)"
    }
  }
}

extension JSONValue {
  /// As people read it: strings without quotes, lists with commas.
  var plainText: String {
    switch self {
    case .string(let value): value
    case .literal(let text): text
    case .array(let values): values.map(\.plainText).joined(separator: ", ")
    case .object(let members): members.map { "\($0.name): \($0.value.plainText)" }.joined(separator: ", ")
    }
  }

  init(_ text: String?) { self = text.map { .string($0) } ?? .null }
  init(_ number: (some FixedWidthInteger)?) { self = number.map { .int($0) } ?? .null }
  init(_ texts: [String]) { self = .array(texts.map { .string($0) }) }
}
