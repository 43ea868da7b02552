// SPDX-License-Identifier: Apache-2.0
import NIOCore

/// The work of a call, which is given the call. Not a method of `RunnableCall`: the method and its witness would each take
/// memory of the task, and look for the task's executor when the work is done.
package typealias CallWork = nonisolated(nonsending) @Sendable (AnyObject) async -> Void

/// What a handler's task runs.
package protocol RunnableCall: AnyObject, Sendable {
  /// What the task does. Runs on the loop.
  var work: CallWork { get }

  /// The call has held its loop for long, without suspending. Called in debug builds alone.
  func heldLoop(for duration: Duration)
}

/// Runs the handlers of a connection's calls, each at once, inside `run`, up to where it first suspends. A task that is
/// done with a call waits for the next: to make one for each call costs five allocations and some 2,000 instructions.
///
/// Lives on the connection's event loop.
package final class HandlerTasks {
  private let executor: LoopExecutor
  @exclusivity(unchecked) private var idle: [HandlerTask] = []
  @exclusivity(unchecked) private var isClosed = false
  /// Handlers that end without suspending need one task; those that suspend, at once as many as there are.
  private static let maxIdle = 8

  /// No task yet.
  package init(_ executor: LoopExecutor) { self.executor = executor }

  /// Begins a call.
  ///
  /// - Returns: The task that runs it, to be forgotten when the call's `run` has ended.
  package func run(_ call: any RunnableCall) -> HandlerTask {
    let task = idle.popLast() ?? HandlerTask()
    #if DEBUG
    executor.beganJob()
    #endif
    task.run(call, in: self, on: executor)
    #if DEBUG
    // One that has ended was looked at then.
    if task.isRunning { executor.checkHeld(by: call) }
    #endif
    return task
  }

  /// Ends the tasks that wait. Those that run end with their calls.
  package func close() {
    isClosed = true
    endIdle()
  }

  /// Ends the tasks that wait, whose memory is then free; the next calls make new ones.
  package func endIdle() {
    while let task = idle.popLast() { task.end() }
  }

  #if DEBUG
  fileprivate func checkHeld(by call: any RunnableCall) { executor.checkHeld(by: call) }
  #endif

  /// True: the task is to wait for another call.
  fileprivate func keep(_ task: HandlerTask) -> Bool {
    guard !isClosed, idle.count < Self.maxIdle else { return false }
    idle.append(task)
    return true
  }
}

/// Stands for no call.
private final class ParkedCall: RunnableCall {
  static let shared = ParkedCall()
  var work: CallWork { { _ in } }
  func heldLoop(for duration: Duration) {}
}

/// A task that runs one call after the other.
// @unchecked: reached on its loop alone, but for the work inside of it.
package final class HandlerTask: @unchecked Sendable {
  @exclusivity(unchecked) private var call: (any RunnableCall)?
  @exclusivity(unchecked) private var parked: UnsafeContinuation<Void, Never>?
  @exclusivity(unchecked) private var task: Task<Void, Never>?

  /// Cancels the call that runs. The task runs no other after it.
  package func cancel() { task?.cancel() }

  #if DEBUG
  fileprivate var isRunning: Bool { call != nil }
  #endif

  fileprivate func run(_ call: any RunnableCall, in tasks: HandlerTasks, on executor: LoopExecutor) {
    self.call = call
    if let parked {
      self.parked = nil
      return executor.resumeAtOnce(parked)
    }
    // nonisolated(unsafe): reached on the loop alone, as this is.
    nonisolated(unsafe) let tasks = tasks
    if #available(macOS 26, *) {
      task = Task.immediate(executorPreference: executor) { await self.work(tasks) }
    } else {
      task = Task(executorPreference: executor) { await self.work(tasks) }
    }
  }

  fileprivate func end() {
    let parked = parked
    self.parked = nil
    parked?.resume()
  }

  private func work(_ tasks: HandlerTasks) async {
    while var current = call as (any RunnableCall)? {
      await current.work(current)
      #if DEBUG
      tasks.checkHeld(by: current)
      #endif
      self.call = nil
      // A task that waits keeps nothing of the call before: a let would live up to the end of the loop's body.
      current = ParkedCall.shared
      // A task that was cancelled stays so.
      if Task.isCancelled || !tasks.keep(self) { return }
      await withUnsafeContinuation { parked = $0 }
    }
  }
}
