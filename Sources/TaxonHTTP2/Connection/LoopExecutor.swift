// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Runs tasks on an event loop, so that a handler starts, suspends and ends on the loop of its connection, without a
/// change of thread.
public final class LoopExecutor: TaskExecutor, Sendable {
  /// The loop on which the jobs run.
  public let eventLoop: any EventLoop
  // Reached on the loop alone.
  @exclusivity(unchecked) nonisolated(unsafe) private var jobs: [UnownedJob] = []
  @exclusivity(unchecked) nonisolated(unsafe) private var isScheduled = false
  /// The next job that is queued is to be caught, and run at once.
  @exclusivity(unchecked) nonisolated(unsafe) private var isCatching = false
  @exclusivity(unchecked) nonisolated(unsafe) private var caught: UnownedJob?

  /// An executor for the loop. Jobs given to it once the loop is shut down never run.
  public init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

  /// Runs a job on the loop: soon when called on the loop, never inside the call.
  public func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    guard eventLoop.inEventLoop else {
      eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
      return
    }
    if isCatching {
      isCatching = false
      caught = job
      return
    }
    jobs.append(job)
    if !isScheduled {
      isScheduled = true
      eventLoop.execute { self.run() }
    }
  }

  /// Resumes a task of the loop and runs it, inside the call, up to where it suspends again.
  ///
  /// To be called on the loop.
  func resumeAtOnce(_ continuation: UnsafeContinuation<Void, Never>) {
    isCatching = true
    continuation.resume()
    isCatching = false
    guard let job = caught else { return }
    caught = nil
    job.runSynchronously(on: asUnownedTaskExecutor())
  }

  /// Runs what has been queued on the loop itself; what that queues in turn waits for the next round.
  private func run() {
    isScheduled = false
    let batch = jobs
    jobs.removeAll(keepingCapacity: true)
    for job in batch { job.runSynchronously(on: asUnownedTaskExecutor()) }
  }

  /// Starts a task that runs on the loop: at once, inside the call, up to where it first suspends.
  ///
  /// To be called on the loop.
  @discardableResult
  public func start(_ body: sending @escaping @isolated(any) () async -> Void) -> Task<Void, Never> {
    eventLoop.preconditionInEventLoop()
    if #available(macOS 26, *) {
      return Task.immediate(executorPreference: self, operation: body)
    } else {
      return Task(executorPreference: self, operation: body)
    }
  }
}
