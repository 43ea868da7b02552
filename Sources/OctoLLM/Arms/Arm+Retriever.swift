// SPDX-License-Identifier: Apache-2.0
import Taxon

extension Arm {
  /// Finds other tasks that resemble the task's description.
  ///
  /// The work throws `VECTOR_DB_ERROR` when the index fails.
  public static func retriever(_ index: TaskIndex) -> Arm {
    Arm("retriever", capabilities: ["search"]) { contract in
      let matches = try await index.nearest(to: contract.description)
        .filter { $0.description != contract.description }
      if matches.isEmpty { return "no task like it" }
      return matches.map { "\($0.taskID) (\(Int(($0.similarity * 100).rounded())) %): \($0.description)" }
        .joined(separator: "\n")
    }
  }
}
