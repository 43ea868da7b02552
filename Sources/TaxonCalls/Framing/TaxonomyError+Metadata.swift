// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// What came beside an error.
private struct AnswerMetadata: Sendable {
  let initial: Metadata
  let trailing: Metadata
}

extension TaxonomyError {
  /// The metadata of the head of the answer, when the error is the outcome of a call of this process; empty when there was
  /// none. Stays in this process.
  public var initialMetadata: Metadata { (context.answer as? AnswerMetadata)?.initial ?? Metadata() }

  /// The metadata that came with the error, in the trailers of the answer, when it is the outcome of a call of this process;
  /// empty when there was none. Stays in this process.
  public var trailingMetadata: Metadata { (context.answer as? AnswerMetadata)?.trailing ?? Metadata() }

  /// A copy that knows what came beside it.
  package func with(initial: Metadata, trailing: Metadata) -> Self {
    guard !initial.isEmpty || !trailing.isEmpty else { return self }
    var copy = self
    copy.context.answer = AnswerMetadata(initial: initial, trailing: trailing)
    return copy
  }
}
