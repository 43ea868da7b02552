// SPDX-License-Identifier: Apache-2.0
import Taxon

extension TaskStatus {
  /// The states a task can be in.
  public static let all: [TaskStatus] = [.pending, .running, .completed, .failed, .cancelled]

  /// The state in a word, as the database, messages and the command line have it.
  public var word: String {
    switch self {
    case .pending: "pending"
    case .running: "running"
    case .completed: "completed"
    case .failed: "failed"
    case .cancelled: "cancelled"
    case .unspecified: "unspecified"
    case .unrecognized(let number): "unrecognized (\(number))"
    }
  }

  /// The state that a word names; nil when it names none.
  public init?(word: String) {
    guard let status = Self.all.first(where: { $0.word == word }) else { return nil }
    self = status
  }

  /// True when the task stays as it is for ever.
  public var isFinal: Bool { self == .completed || self == .cancelled }

  /// True when nothing more happens to the task by itself: it is final, or has failed.
  public var isAtRest: Bool { isFinal || self == .failed }
}
