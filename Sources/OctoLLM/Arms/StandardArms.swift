// SPDX-License-Identifier: Apache-2.0
import Taxon

extension ArmRegistry {
  /// The arms of the example: a summariser, a calculator, a retriever over the tasks, a writer with a language model
  /// and a lexicographer with a third party's dictionary.
  public static func standard(
    tasks: any TaskReader, model: some LanguageModel = Parrot(), modelBreaker: CircuitBreaker? = nil,
    calculations: RateLimiter = RateLimiter(limit: 100, window: .seconds(10)), lexicon: Lexicon = Lexicon()
  ) -> ArmRegistry {
    ArmRegistry([
      .summariser, .calculator(limiter: calculations), .retriever(TaskIndex(tasks)),
      .writer(model, breaker: modelBreaker), .lexicographer(lexicon),
    ])
  }
}

extension Arm {
  /// Counts words and sentences and says what the text begins with. It has no capability but the general ones, so a task
  /// that asks for nothing comes here.
  public static let summariser = Arm("summariser", capabilities: ["text", "summarise"]) { contract in
    let text = contract.description
    let words = text.split(whereSeparator: \.isWhitespace).count
    let sentences = text.split { ".!?".contains($0) }.filter { !$0.allSatisfy(\.isWhitespace) }
    let opening =
      sentences.first.map { $0.split(whereSeparator: \.isWhitespace).prefix(8).joined(separator: " ") } ?? ""
    return "\(counted(words, "word")) in \(counted(sentences.count, "sentence")): \(opening)"
  }

  private static func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}

extension Arm {
  /// Works out the arithmetic expression that is the task's description, such as "2 * (3 + 4)".
  ///
  /// The work throws `VALIDATION_ERROR` for what is not such an expression.
  public static func calculator(limiter: RateLimiter? = nil) -> Arm {
    Arm("calculator", capabilities: ["arithmetic"], limiter: limiter) { contract in
      do throws(Arithmetic.Mistake) {
        return ErrorText(try Arithmetic.evaluate(contract.description))
      } catch {
        throw ValidationError.invalidInput(field: "contract.description", description: error.description, cause: error)
      }
    }
  }
}

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

extension Arm {
  /// Has a language model answer the task's description, behind a circuit breaker: while the model fails it is left in
  /// peace, and tasks fail at once.
  ///
  /// The work throws `LLM_API_ERROR`; when the breaker rejected it, with the time left as its retry-after.
  public static func writer(_ model: some LanguageModel, breaker: CircuitBreaker? = nil, capacity: Int = 2) -> Arm {
    let breaker = breaker ?? CircuitBreaker(endpoint: model.provider)
    return Arm("writer", capabilities: ["text", "write"], capacity: capacity) { contract in
      do throws(ExternalError) {
        return try await breaker.call { () async throws(ExternalError) in
          try await model.complete(contract.description)
        }
      } catch {
        guard let rejection = error.as(ConnectionError.CircuitOpen.self) else { throw error }
        // The caller need not know that a breaker is open here, only that the model fails, and for how long.
        throw ExternalError.llmAPI(
          provider: model.provider, errorMessage: "the provider is failing and is not asked",
          retryAfter: rejection.retryAfter, cause: rejection)
      }
    }
  }
}

/// Something that answers a prompt with a text.
public protocol LanguageModel: Sendable {
  /// Who runs it, as errors name it.
  var provider: String { get }

  /// The answer to a prompt.
  ///
  /// - Throws: `LLM_API_ERROR`.
  func complete(_ prompt: String) async throws(ExternalError) -> String
}

/// A language model that needs no network: it says the prompt again, word by word, at its own pace.
public struct Parrot: LanguageModel {
  /// Who runs it.
  public let provider = "parrot"
  /// How long it takes for a word.
  public var pace: Duration
  /// The longest prompt, in words.
  public var context: Int

  /// A parrot.
  public init(pace: Duration = .milliseconds(20), context: Int = 500) {
    self.pace = pace
    self.context = context
  }

  /// The prompt again; `LLM_API_ERROR` when it is longer than the context.
  public func complete(_ prompt: String) async throws(ExternalError) -> String {
    let words = prompt.split(whereSeparator: \.isWhitespace)
    guard words.count <= context else {
      throw .llmAPI(
        provider: provider, statusCode: 413,
        errorMessage: "prompt of \(words.count) words is longer than the context of \(context)")
    }
    // A sleep fails only when it is cancelled, and that is not a failure of the provider: it stays CANCELLED.
    try await ExternalError.catching { try await Task.sleep(for: pace * words.count) }
    return "You say: " + words.joined(separator: " ")
  }
}

extension Arm {
  /// Looks up the last word of the task's description.
  ///
  /// The work throws `THIRD_PARTY_API_ERROR` when the dictionary fails.
  public static func lexicographer(_ lexicon: Lexicon = Lexicon()) -> Arm {
    Arm("lexicographer", capabilities: ["define"]) { contract in
      let word = contract.description.split { !$0.isLetter }.last.map(String.init) ?? ""
      return "\(word): \(try await lexicon.define(word))"
    }
  }
}

/// A dictionary that a third party runs.
public struct Lexicon: Sendable {
  private let entries: [String: String]

  /// A dictionary with these entries, under words in lower case.
  public init(_ entries: [String: String] = Lexicon.standard) { self.entries = entries }

  /// The meaning of a word.
  ///
  /// - Throws: `THIRD_PARTY_API_ERROR` when there is no entry.
  public func define(_ word: String) async throws(ExternalError) -> String {
    guard let meaning = entries[word.lowercased()] else {
      throw .thirdPartyAPI(service: "lexicon", statusCode: 404, errorMessage: "there is no entry for \"\(word)\"")
    }
    return meaning
  }

  /// The entries it has by default.
  public static let standard = [
    "arm": "a part of an octopus that can work on its own",
    "breaker": "what interrupts a circuit before something burns",
    "octopus": "a mollusc with eight arms and three hearts",
    "taxon": "a group of things that are classified together",
  ]
}
