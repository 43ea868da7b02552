// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import OctoLLM
import Taxon

extension TaskStatus: ExpressibleByArgument {
  /// A state by its word, or, so that mistakes can be tried out, by its number.
  public init?(argument: String) {
    if let status = TaskStatus(word: argument) {
      self = status
    } else if let number = Int32(argument) {
      self = TaskStatus(rawValue: number)
    } else {
      return nil
    }
  }
}

/// name=value.
struct Label: ExpressibleByArgument, Sendable {
  var name: String
  var value: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return nil }
    name = String(parts[0])
    value = String(parts[1])
  }
}
