// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// A call that streams with the interceptors that go around it. They run in one task, in which `next` returns when the call
/// has ended on the wire; for its caller the call has ended when they have returned.
final class InterceptedStream: Sendable {
  private enum Phase {
    /// The interceptors have not called `next`.
    case beforeNext
    case running
    /// The call has ended on the wire, or the interceptors have ended it.
    case over
  }

  private struct State {
    var task: Task<Void, Never>?
    var phase = Phase.beforeNext
    /// Those who write before `next` is called, by the number by which their cancellation knows them.
    var writers: [Int: UnsafeContinuation<Void, Never>] = [:]
    var nextNumber = 0
    /// How the call has ended on the wire.
    var end: CallEnd?
    /// `next`, which waits for the end.
    var next: UnsafeContinuation<CallEnd, Never>?

    mutating func enter(_ phase: Phase) -> [UnsafeContinuation<Void, Never>] {
      self.phase = phase
      defer { writers = [:] }
      return Array(writers.values)
    }
  }

  let call: InterceptedCall
  private let state = Locked(State())

  init(_ call: InterceptedCall) { self.call = call }

  // MARK: The task

  /// Begins the task. To be called once, before anybody else knows the call.
  func start(_ body: @escaping @Sendable () async -> Void) {
    let task = Task(executorPreference: callersExecutor) { await body() }
    state.withLock { $0.task = task }
  }

  /// Cancels the task: whatever it waits for gives up.
  func cancel() { state.withLock { $0.task }?.cancel() }

  /// The interceptors have called `next`: what is written is sent.
  func reachedNext() { enter(.running) }

  /// The end on the wire, once it has come.
  func end() async -> CallEnd {
    await withUnsafeContinuation { continuation in
      let end = state.withLock { state in
        if state.end == nil { state.next = continuation }
        return state.end
      }
      if let end { continuation.resume(returning: end) }
    }
  }

  /// The interceptors have returned.
  func returned() { enter(.over) }

  private func enter(_ phase: Phase) {
    for writer in state.withLock({ $0.enter(phase) }) { writer.resume() }
  }

  // MARK: From the call

  /// The call has ended on the wire.
  func ended(_ end: CallEnd) {
    let next = state.withLock { state in
      state.end = end
      if state.phase == .running { state.phase = .over }
      return state.next.take()
    }
    next?.resume(returning: end)
  }

  // MARK: For writers

  /// The message as the interceptors have it sent, once they have called `next`; as it is when the call is over.
  ///
  /// - Throws: What they throw; CANCELLED when the task is cancelled while it waits.
  func sending<Content: Message>(_ message: Content) async throws -> Content {
    if state.withLock({ $0.phase }) == .beforeNext { try await waitForNext() }
    return state.withLock({ $0.phase }) == .running ? try call.sending(message) : message
  }

  private func waitForNext() async throws {
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let isReady = state.withLock { state in
          if state.phase != .beforeNext || Task.isCancelled { return true }
          state.writers[number] = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.writers.removeValue(forKey: number) }?.resume()
    }
    if Task.isCancelled { throw RPCError.cancelled }
  }
}
