// SPDX-License-Identifier: Apache-2.0
import OctoLLM
import Taxon

/// The slow task's outcome, which is waited for later.
typealias SlowTask = Task<TaskRecord, any Error>

extension Walk {
  func validationErrors() async {
    section("ValidationError", "octollm.dev: the client sent something wrong")
    await expect("CreateTask, three mistakes", "VALIDATION_ERRORS") { () async throws(Orchestrator.CreateTaskError) in
      try await orchestrator.createTask(
        .init(contract: .init(description: "  ", priority: 11, timeout: -1)), options: Self.asOwner)
    } typed: { error in
      if case .validationErrors(let error) = error { error.errors.count == 3 } else { false }
    }
    await expect("CreateTask, priority 11", "VALIDATION_ERROR") { () async throws(Orchestrator.CreateTaskError) in
      try await orchestrator.createTask(
        .init(contract: .init(description: "Tidy up", priority: 11)), options: Self.asOwner)
    } typed: { error in
      if case .invalidInput(let error) = error { error.field == "contract.priority" } else { false }
    }
    await expect("GetTask 42", "TASK_NOT_FOUND") { () async throws(Orchestrator.GetTaskError) in
      try await orchestrator.getTask(.init(taskID: "42"), options: Self.asOwner)
    } typed: { error in
      if case .taskNotFound(let error) = error { error.taskID == "42" } else { false }
    }
    await expect("GetTask without a token", "AUTHENTICATION_ERROR") { () async throws(Orchestrator.GetTaskError) in
      try await orchestrator.getTask(.init(taskID: "42"))
    } typed: { error in
      if case .authentication(let error) = error { error.reason == "no token" } else { false }
    }
    await expect("CreateTask as a reader", "AUTHORIZATION_ERROR") { () async throws(Orchestrator.CreateTaskError) in
      try await orchestrator.createTask(
        .init(contract: .init(description: "Tidy up", priority: 1)), options: Self.asReader)
    } typed: { error in
      if case .authorization(let error) = error { error.principal == "reader" } else { false }
    }
  }

  /// Leaves a task under way that takes longer than its contract allows.
  func resourceErrors() async throws -> SlowTask {
    section("ResourceError", "octollm.dev: something the call needs is missing or used up")
    try await expectExecution("ExecuteTask, needs vision", of: "Look", needs: "vision", "ARM_UNAVAILABLE") { error in
      if case .armUnavailable(let error) = error { error.requiredCapabilities == ["vision"] } else { false }
    }
    let slow = try await startSlowTask()
    try await expectExecution("ExecuteTask, arm is busy", of: "Hello", needs: "write", "CAPACITY_EXCEEDED") { error in
      if case .capacityExceeded(let error) = error { error.capacity == 1 } else { false }
    }
    for sum in ["1 + 1", "2 * (3 + 4)"] {
      let id = try await create(sum, needs: "arithmetic")
      _ = try await orchestrator.executeTask(.init(taskID: id), options: Self.asOwner)
    }
    try await expectExecution("ExecuteTask, third sum", of: "1 / 3", needs: "arithmetic", "RATE_LIMIT_EXCEEDED") {
      error in
      guard case .rateLimit(let error) = error, let wait = error.retryAfter else { return false }
      return error.limit == 2 && error.window == 60 && wait > .seconds(50)
    }
    return slow
  }

  func systemErrors(_ slow: SlowTask) async {
    section("SystemError", "octollm.dev: something inside failed; what it said stays in the server")
    await expect("ExecuteTask, 1 s is over", "TIMEOUT_ERROR") { () async throws(Orchestrator.ExecuteTaskError) in
      try await Orchestrator.ExecuteTaskError.catching { try await slow.value }
    } typed: { error in
      if case .timeout(let error) = error { error.timeout == 1 } else { false }
    }
    for code in ["CACHE_ERROR", "NETWORK_ERROR"] { await expectRaised("octollm.dev", code) }
  }

  func externalErrors() async throws {
    section("ExternalError", "octollm.dev: a service outside failed")
    let long = String(repeating: "and so on ", count: 50)
    try await expectExecution("ExecuteTask, long prompt", of: long, needs: "write", "LLM_API_ERROR") { error in
      if case .llmAPI(let error) = error { error.provider == "parrot" && error.statusCode == 413 } else { false }
    }
    try await expectExecution("ExecuteTask, index is lost", of: "Find", needs: "search", "VECTOR_DB_ERROR") { error in
      // What the database said is internal: the field is there, and empty.
      if case .vectorDB(let error) = error { error.collection == "tasks" && error.error.isEmpty } else { false }
    }
    try await expectExecution("ExecuteTask, no such word", of: "snark", needs: "define", "THIRD_PARTY_API_ERROR") {
      if case .thirdPartyAPI(let error) = $0 { error.statusCode == 404 } else { false }
    }
  }

  func reflexErrors() async {
    section("ReflexError", "reflex.octollm.dev: a taxonomy of its own, with codes that the other one has too")
    await expect("Preprocess \"ask ada@…\"", "PII_DETECTED") { () async throws(Reflex.PreprocessError) in
      try await reflex.preprocess(.init(text: "ask ada@example.com"))
    } typed: { error in
      if case .piiDetected(let error) = error { error.excerpt == "ada@example.com" } else { false }
    }
    await expect("Preprocess \"\"", "INVALID_INPUT") { () async throws(Reflex.PreprocessError) in
      try await reflex.preprocess(.init())
    } typed: { error in
      if case .invalidInput(let error) = error { error.messageField == "text is empty" } else { false }
    }
    for text in ["one", "two", "three"] { _ = try? await reflex.preprocess(.init(text: text)) }
    await expect("Preprocess, fourth in 1 s", "RATE_LIMIT_EXCEEDED") { () async throws(Reflex.PreprocessError) in
      try await reflex.preprocess(.init(text: "four"), options: CallOptions(timeout: .milliseconds(500)))
    } typed: { error in
      if case .rateLimitExceeded(let error) = error { error.limit == 3 && error.retryAfter != nil } else { false }
    }
    for code in ["CACHE_ERROR", "NETWORK_ERROR", "SERIALIZATION_ERROR", "INTERNAL_ERROR"] {
      await expectRaised("reflex.octollm.dev", code)
    }
  }

  // MARK: Parts of steps

  func create(_ description: String, needs capability: String, timeout: Int32? = nil) async throws -> String {
    let contract = TaskContract(
      description: description, priority: 5, timeout: timeout, requiredCapabilities: [capability])
    return try await orchestrator.createTask(.init(contract: contract), options: Self.asOwner).taskID
  }

  private func expectExecution(
    _ request: String, of description: String, needs capability: String, _ code: String,
    typed: (Orchestrator.ExecuteTaskError) -> Bool
  ) async throws {
    let id = try await create(description, needs: capability)
    await expect(request, code) { () async throws(Orchestrator.ExecuteTaskError) in
      try await orchestrator.executeTask(.init(taskID: id), options: Self.asOwner)
    } typed: {
      typed($0)
    }
    // The batch later must not execute it.
    _ = try await orchestrator.updateTaskStatus(.init(taskID: id, status: .cancelled), options: Self.asOwner)
  }

  /// Begins a task that takes longer than its contract allows, and returns when an arm is at it.
  private func startSlowTask() async throws -> SlowTask {
    let id = try await create(String(repeating: "word ", count: 40), needs: "write", timeout: 1)
    let slow = SlowTask { [orchestrator, options = Self.asOwner] in
      try await orchestrator.executeTask(.init(taskID: id), options: options)
    }
    while try await orchestrator.getTask(.init(taskID: id), options: Self.asOwner).status == .pending {
      try await Task.sleep(for: .milliseconds(5))
    }
    return slow
  }

  private func expectRaised(_ domain: String, _ code: String) async {
    await expect("Raise", code) { () async throws(Rehearsal.RaiseError) in
      try await rehearsal.raise(.init(domain: domain, code: code))
    } typed: { error in
      // Typed: it is one of the errors that the schema declares for the method.
      if case .other = error { false } else { error.domain == domain }
    }
  }
}
