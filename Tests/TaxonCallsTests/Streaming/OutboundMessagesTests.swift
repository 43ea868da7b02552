// SPDX-License-Identifier: Apache-2.0
import Dispatch
import NIOCore
import NIOEmbedded
import TaxonErrors
import TaxonProtobuf
import Testing

@testable import TaxonCalls
@testable import TaxonTransport

/// Messages that several tasks write, and the loop that hands them on.
@Suite(.timeLimit(.minutes(1))) struct OutboundMessagesTests {
  typealias Text = Google_Protobuf_StringValue

  private let eventLoop = NIOAsyncTestingEventLoop()
  private let thread = ThreadExecutor()

  /// Holds who encodes the first message.
  private struct Gate: Sendable {
    let reached = DispatchSemaphore(value: 0)
    let opened = DispatchSemaphore(value: 0)

    func pass() {
      reached.signal()
      opened.wait()
    }
  }

  /// Runs a task on a thread of its own: one that is held must not take a thread from the others.
  private final class ThreadExecutor: TaskExecutor {
    private let queue = DispatchQueue(label: "writer")

    func enqueue(_ job: consuming ExecutorJob) {
      let job = UnownedJob(job)
      queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
  }

  // Used on the loop alone.
  private struct Bound: @unchecked Sendable {
    let stream = HTTP2Stream()
  }

  /// Messages that hold their first writer at the gate, on a thread of its own; returned when it is there.
  private func messages(
    _ gate: Gate, _ first: String
  ) async throws -> (OutboundMessages, written: Task<Void, any Error>) {
    let messages = OutboundMessages(eventLoop: eventLoop) {
      gate.pass()
      return CompressionSettings(.gzip)
    }
    let written = Task(executorPreference: thread) {
      try await messages.write(Text(value: first), compress: false)
    }
    await withCheckedContinuation { continuation in
      DispatchQueue.global().async {
        gate.reached.wait()
        continuation.resume()
      }
    }
    return (messages, written)
  }

  @Test func theEventLoopDoesNotWaitForAMessageThatIsEncoded() async throws {
    let gate = Gate()
    let (messages, written) = try await messages(gate, "first")
    let bound = Bound()
    try await eventLoop.executeInContext {
      messages.attach(bound.stream)
      messages.pump()
      #expect(bound.stream.waitingCount == 0)
    }
    gate.opened.signal()
    try await written.value
    await eventLoop.run()
    try await eventLoop.executeInContext { #expect(bound.stream.waitingCount > 0) }
  }

  @Test func messagesOfSeveralWritersKeepTheirOrder() async throws {
    guard #available(macOS 26, *) else { return }
    let gate = Gate()
    let (messages, written) = try await messages(gate, "0")
    let bound = Bound()
    try await eventLoop.executeInContext { messages.attach(bound.stream) }
    // Each gets as far as to where it waits for the one before.
    let others = (1..<5).map { number in
      Task.immediate { try await messages.write(Text(value: "\(number)"), compress: false) }
    }
    gate.opened.signal()
    try await written.value
    for other in others { try await other.value }
    await eventLoop.run()
    let bytes = try await eventLoop.executeInContext {
      withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { target in
        Array(target[..<bound.stream.readOutbound(into: target)])
      }
    }
    #expect(bytes == (0..<5).flatMap { [0, 0, 0, 0, 3, 0x0a, 1] + Array("\($0)".utf8) })
  }

  @Test func aCallThatEndsTellsWritersThatEncode() async throws {
    let gate = Gate()
    let (messages, written) = try await messages(gate, "first")
    try await eventLoop.executeInContext { messages.fail(RPCError(.cancelled, "The call is over")) }
    gate.opened.signal()
    let error = await #expect(throws: RPCError.self) { try await written.value }
    #expect(error?.message == "The call is over")
    await eventLoop.run()
  }

  @Test(arguments: [false, true]) func nothingOfTheCallIsKeptAfterItsEnd(_ isWritten: Bool) async throws {
    final class Owner: Sendable {}
    var owner: Owner? = Owner()
    weak let kept = owner
    let messages = OutboundMessages(eventLoop: eventLoop) { [owner] in
      _ = owner
      return nil
    }
    if isWritten { try await messages.write(Text(value: "first")) }
    let isGone = try await eventLoop.executeInContext { [messages] in
      weak var weakStream: HTTP2Stream?
      do {
        let stream = HTTP2Stream()
        weakStream = stream
        messages.attach(stream) { _ in _ = stream }
        messages.fail(RPCError(.cancelled, "The call is over"))
      }
      return weakStream == nil
    }
    #expect(isGone)
    owner = nil
    #expect(kept == nil)
    await #expect(throws: RPCError.self) { try await messages.write(Text(value: "late")) }
    await eventLoop.run()
  }
}
