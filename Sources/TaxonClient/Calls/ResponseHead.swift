// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// The metadata of an answer, readable while the call goes on.
///
/// What has been handed out commits the call to its attempt: an attempt of which somebody knows the head is not repeated.
final class ResponseHead<Failure: ErrorUnion>: Sendable {
  private struct State {
    /// The head of the attempt that is going on.
    var candidate: Metadata?
    /// What every reader gets.
    var outcome: Result<Metadata, Failure>?
    var trailing: Metadata?
    var waiting: [Int: UnsafeContinuation<Void, Never>] = [:]
    var nextNumber = 0

    mutating func settle(_ outcome: Result<Metadata, Failure>) -> [UnsafeContinuation<Void, Never>] {
      guard self.outcome == nil else { return [] }
      self.outcome = outcome
      defer { waiting = [:] }
      return Array(waiting.values)
    }
  }

  private let state = Locked(State())

  // MARK: From the call

  /// A head has come.
  func receive(_ initial: Metadata) {
    resume(
      state.withLock { state in
        state.candidate = initial
        return state.waiting.isEmpty ? [] : state.settle(.success(initial))
      })
  }

  /// Another attempt begins. False: the head of the one before is known to somebody.
  func mayRepeat() -> Bool {
    state.withLock { state in
      guard state.outcome == nil else { return false }
      state.candidate = nil
      return true
    }
  }

  /// The call is over.
  func end(_ error: Failure?, initial: Metadata, trailing: Metadata) {
    resume(
      state.withLock { state in
        state.trailing = trailing
        // A reader that comes after the end still gets the head.
        if let head = state.candidate { return state.settle(.success(head)) }
        return state.settle(error.map { .failure($0) } ?? .success(initial))
      })
  }

  private func resume(_ waiting: [UnsafeContinuation<Void, Never>]) {
    for continuation in waiting { continuation.resume() }
  }

  // MARK: For the caller

  /// The metadata of the trailers; nil before they have come.
  var trailing: Metadata? { state.withLock { $0.trailing } }

  /// The metadata of the head, once it has come.
  ///
  /// - Throws: What the call ended with, if it had no head; CANCELLED when the task is cancelled while it waits.
  func metadata() async throws(Failure) -> Metadata {
    let number = state.withLock { state in
      state.nextNumber += 1
      return state.nextNumber
    }
    await withTaskCancellationHandler {
      await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
        let isReady = state.withLock { state in
          if let candidate = state.candidate, state.outcome == nil { state.outcome = .success(candidate) }
          if state.outcome != nil || Task.isCancelled { return true }
          state.waiting[number] = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
    }
    guard let outcome = state.withLock({ $0.outcome }) else { throw Failure.lift(RPCError.cancelled) }
    return try outcome.get()
  }
}
