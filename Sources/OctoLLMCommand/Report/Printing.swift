// SPDX-License-Identifier: Apache-2.0
import Foundation
import OctoLLM
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
    case .written(let json): String(decoding: json, as: UTF8.self)
    case .array(let values): values.map(\.plainText).joined(separator: ", ")
    case .object(let members): members.map { "\($0.name): \($0.value.plainText)" }.joined(separator: ", ")
    }
  }

  init(_ text: String?) { self = text.map { .string($0) } ?? .null }
  init(_ number: (some FixedWidthInteger)?) { self = number.map { .int($0) } ?? .null }
  init(_ texts: [String]) { self = .array(texts.map { .string($0) }) }
}

extension TaskRecord {
  /// With the names of the schema.
  var json: JSONValue {
    [
      "task_id": .string(taskID),
      "status": .string(status.word),
      "contract": contract.map(\.json) ?? .null,
      "created_at": JSONValue(createdAt?.text),
      "history": .array(history.map(\.json)),
      "output": JSONValue(output),
    ]
  }

  /// In a line.
  var text: String {
    let description = contract?.description ?? ""
    let short = description.count > 40 ? description.prefix(39) + "…" : description[...]
    return "\(taskID)  \(status.word.padded(to: 9))  \(short)"
  }

  /// On several lines.
  var details: String {
    var lines = [text]
    lines += history.map { "  \($0.text)" }
    if let output { lines.append("  \(output)") }
    return lines.joined(separator: "\n")
  }
}

extension TaskContract {
  var json: JSONValue {
    [
      "description": .string(description),
      "priority": JSONValue(priority),
      "timeout": JSONValue(timeout),
      "required_capabilities": JSONValue(requiredCapabilities),
      "labels": .object(labels.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }),
    ]
  }
}

extension StatusChange {
  /// In a line.
  var text: String { "\(at?.text ?? "")  \(status.word)\(errorCode.map { " (\($0))" } ?? "")" }

  var json: JSONValue {
    ["status": .string(status.word), "at": JSONValue(at?.text), "error_code": JSONValue(errorCode)]
  }
}

extension Google_Protobuf_Timestamp {
  /// ISO 8601, to the millisecond.
  var text: String {
    // Formatting the seconds alone keeps a binary fraction from becoming a millisecond less.
    let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
    return "\(whole.dropLast()).\(String(format: "%03d", nanos / 1_000_000))Z"
  }
}
