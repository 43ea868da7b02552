// SPDX-License-Identifier: Apache-2.0
import Foundation
import OctoLLM
import Taxon

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
