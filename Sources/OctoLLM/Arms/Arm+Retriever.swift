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

/// Finds tasks that resemble a text: the vector database of the example. A task's vector has a number for each word of
/// its description; the nearer two vectors' directions, the more alike the texts.
public struct TaskIndex: Sendable {
  /// A task that resembles the text.
  public struct Match: Hashable, Sendable {
    /// Which task.
    public var taskID: String
    /// Its description.
    public var description: String
    /// How alike, from 0 to 1.
    public var similarity: Double
  }

  private let tasks: any TaskReader
  private static let collection = "tasks"
  private static let maxTasks = 1000

  /// An index of the oldest thousand tasks.
  public init(_ tasks: any TaskReader) { self.tasks = tasks }

  /// The tasks most like a text, the most alike first.
  ///
  /// - Throws: `VECTOR_DB_ERROR`, with its cause, when the tasks cannot be read.
  public func nearest(to text: String, count: Int = 3) async throws(ExternalError) -> [Match] {
    let candidates: [TaskRecord]
    do {
      candidates = try await tasks.tasks(TaskQuery(size: Self.maxTasks)).tasks
    } catch {
      throw .vectorDB(operation: "query", collection: Self.collection, error: "\(error)", cause: error)
    }
    let wanted = Self.vector(text)
    let matches = candidates.compactMap { task -> Match? in
      let description = task.contract?.description ?? ""
      let similarity = Self.cosine(wanted, Self.vector(description))
      return similarity > 0 ? Match(taskID: task.taskID, description: description, similarity: similarity) : nil
    }
    return Array(matches.sorted { $0.similarity > $1.similarity }.prefix(count))
  }

  private static func vector(_ text: String) -> [String: Double] {
    let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }
    return words.reduce(into: [:]) { $0[String($1), default: 0] += 1 }
  }

  private static func cosine(_ one: [String: Double], _ other: [String: Double]) -> Double {
    let product = one.reduce(0) { $0 + $1.value * (other[$1.key] ?? 0) }
    let length = { (vector: [String: Double]) in vector.values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    return product == 0 ? 0 : product / (length(one) * length(other))
  }
}
