// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// Runs tasks on an event loop, so that a handler starts, suspends and ends on the loop of its connection, without a
/// change of thread.
package final class LoopExecutor: TaskExecutor, Sendable {
  /// The loop on which the jobs run.
  package let eventLoop: any EventLoop
  // nonisolated(unsafe): reached on the loop alone.
  @exclusivity(unchecked) nonisolated(unsafe) private var onLoop: OnLoop

  /// What is reached on the loop alone.
  private struct OnLoop {
    let turn: LoopTurn
    var jobs: [UnownedJob] = []
    var isScheduled = false
    /// The next job that is queued is to be caught, and run at once.
    var isCatching = false
    var caught: UnownedJob?
    #if DEBUG
    var jobBegan = NIODeadline.now()
    #endif
  }

  /// What its connections share. To be asked on the loop.
  package var turn: LoopTurn { onLoop.turn }

  #if DEBUG
  /// How long a handler may hold its loop before a debug build says so.
  static let patience = TimeAmount.milliseconds(100)

  /// A job begins. To be called on the loop.
  func beganJob() { onLoop.jobBegan = .now() }

  /// Tells a call if the job that goes on has taken long. To be called on the loop.
  func checkHeld(by call: any RunnableCall) {
    let time = NIODeadline.now() - onLoop.jobBegan
    if time > Self.patience { call.heldLoop(for: Duration(time)) }
  }
  #endif

  private func run(_ job: UnownedJob) {
    #if DEBUG
    beganJob()
    #endif
    job.runSynchronously(on: asUnownedTaskExecutor())
  }

  /// An executor for the loop. Jobs given to it once the loop is shut down never run.
  package init(_ eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    onLoop = OnLoop(turn: LoopTurn(eventLoop))
  }

  /// Runs a job on the loop: soon when called on the loop, never inside the call.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    guard eventLoop.inEventLoop else {
      eventLoop.execute { self.run(job) }
      return
    }
    if onLoop.isCatching {
      onLoop.isCatching = false
      onLoop.caught = job
      return
    }
    onLoop.jobs.append(job)
    if !onLoop.isScheduled {
      onLoop.isScheduled = true
      eventLoop.execute { self.run() }
    }
  }

  /// Resumes a task of the loop and runs it, inside the call, up to where it suspends again.
  ///
  /// To be called on the loop.
  func resumeAtOnce(_ continuation: UnsafeContinuation<Void, Never>) {
    onLoop.isCatching = true
    continuation.resume()
    onLoop.isCatching = false
    guard let job = onLoop.caught else { return }
    onLoop.caught = nil
    job.runSynchronously(on: asUnownedTaskExecutor())
  }

  /// Runs what has been queued on the loop itself; what that queues in turn waits for the next round.
  private func run() {
    onLoop.isScheduled = false
    let batch = onLoop.jobs
    onLoop.jobs.removeAll(keepingCapacity: true)
    for job in batch { run(job) }
  }

  /// Starts a task that runs on the loop: at once, inside the call, up to where it first suspends.
  ///
  /// To be called on the loop.
  @discardableResult
  package func start(_ body: sending @escaping @isolated(any) () async -> Void) -> Task<Void, Never> {
    eventLoop.preconditionInEventLoop()
    if #available(macOS 26, *) {
      return Task.immediate(executorPreference: self, operation: body)
    } else {
      return Task(executorPreference: self, operation: body)
    }
  }
}
