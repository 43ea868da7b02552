// SPDX-License-Identifier: Apache-2.0

// What Foundation asks of errors that are shown to people. Foundation's own defaults are out of sight in a file that does
// not import it (upcoming feature MemberImportVisibility), as generated ones don't.
extension TaxonomyError {
  /// What `localizedDescription` shows: the message, or the code where there is none.
  public var errorDescription: String? {
    let message = message
    return message.isEmpty ? code : message
  }

  /// Nothing: the message says it.
  public var failureReason: String? { nil }
  /// Nothing.
  public var recoverySuggestion: String? { nil }
  /// Nothing.
  public var helpAnchor: String? { nil }
}
