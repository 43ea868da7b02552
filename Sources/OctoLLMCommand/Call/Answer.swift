// SPDX-License-Identifier: Apache-2.0
import Foundation
import OctoLLM
import Taxon

/// What a call prints.
struct Answer: Sendable {
  private let text: String
  private let json: String
  let isFailure: Bool

  /// Prints nothing: the call has printed its output itself.
  static let nothing = Answer("", json: .null)

  /// A reply.
  init(_ text: String, json: JSONValue, isFailure: Bool = false) {
    self.text = text
    self.json = json.line
    self.isFailure = isFailure
  }

  /// An error.
  ///
  /// - Parameter hint: What the one who called may do about it.
  init(_ error: some TaxonomyError, hint: String? = nil) {
    let report = ErrorReport(error, hint: hint)
    text = report.text
    json = report.json
    isFailure = true
  }

  /// A task.
  init(_ task: TaskRecord) {
    self.init(task.details, json: task.json)
  }

  /// JSON goes to stdout, be it an error or not; of the text, errors go to stderr.
  func print(asJSON: Bool) {
    if text.isEmpty { return }
    let handle = isFailure && !asJSON ? FileHandle.standardError : FileHandle.standardOutput
    handle.write(Data(((asJSON ? json : text) + "\n").utf8))
  }
}
