// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonCalls
import TaxonClient
import TaxonErrors
import TaxonProtobuf

typealias DialogueMessage = Google_Protobuf_BytesValue
private typealias Method = MethodDescriptor<DialogueMessage, DialogueMessage, ConnectionError>

private let once = Method(service: "dialogue", method: "Once")
private let idempotent = Method(service: "dialogue", method: "Idempotent", idempotency: .idempotent)

/// One call of a dialogue, made as its script says, and what it came to.
// Reached on the thread of the dialogue alone, where its task runs, too.
final class DialogueCall: @unchecked Sendable {
  enum Outcome {
    case success
    case failure(ConnectionError)
    /// The caller let go of the call.
    case dropped
  }

  let script: CallScript
  private unowned let dialogue: Dialogue
  private var task: Task<Void, Never>?
  private var cancelCall: (@Sendable () -> Void)?
  /// What the server has seen of it.
  var attempts: [ServerConnection.Attempt] = []
  private(set) var outcome: Outcome?
  private(set) var messages: [[UInt8]] = []
  private(set) var endTime = NIODeadline.distantFuture
  private(set) var deadline: NIODeadline?
  private(set) var cancelTime: NIODeadline?
  /// Until when the caller was busy with other things.
  private(set) var busyUntil = NIODeadline.uptimeNanoseconds(0)
  /// The call's task has ended, which may write after its outcome is known.
  private(set) var isFinished = false
  /// How often an end was told.
  private(set) var endings = 0

  init(_ script: CallScript, in dialogue: Dialogue) {
    self.script = script
    self.dialogue = dialogue
  }

  var isOver: Bool { outcome != nil }

  func begin(on channel: TaxonClient.Channel) {
    deadline = script.timeout.map { dialogue.loop.now + .milliseconds(Int64($0)) }
    let clock = LoopClock(loop: dialogue.loop)
    task = Task(executorPreference: dialogue.executor) { [self] in
      await run(channel, clock)
      isFinished = true
      cancelCall = nil
    }
    switch script.ending {
    case .none, .drop: break
    case .cancelTask(let time): dialogue.after(time - script.start) { [weak self] in self?.cancel(task: true) }
    case .cancelCall(let time): dialogue.after(time - script.start) { [weak self] in self?.cancel(task: false) }
    }
  }

  /// Gives the call up.
  func cancel(task isTask: Bool) {
    guard !isOver else { return }
    cancelTime = dialogue.loop.now
    dialogue.note("call \(script.number) is cancelled")
    if !isTask, let cancelCall { cancelCall() } else { task?.cancel() }
  }

  private var options: CallOptions {
    var options = CallOptions(timeout: script.timeout.map { .milliseconds($0) }, waitForReady: script.waitsForReady)
    options.metadata.add("call", "\(script.number)")
    options.onMetadata = { [weak self] _, _ in self?.endings += 1 }
    return options
  }

  private func end(_ outcome: Outcome) {
    if self.outcome != nil { dialogue.violate("call \(script.number) ended twice") }
    self.outcome = outcome
    endTime = dialogue.loop.now
    dialogue.note("call \(script.number) ends: \(self)")
  }

  private func pause(_ milliseconds: Int, _ clock: LoopClock) async {
    // A cancelled task goes on, and meets the end of its call.
    guard milliseconds > 0 else { return }
    try? await clock.sleep(for: .milliseconds(milliseconds))
    busyUntil = dialogue.loop.now
  }

  private func message(_ size: Int) -> DialogueMessage {
    DialogueMessage(value: [UInt8](repeating: UInt8(truncatingIfNeeded: script.number), count: size))
  }

  private func run(_ channel: TaxonClient.Channel, _ clock: LoopClock) async {
    let method = script.isIdempotent ? idempotent : once
    do throws(ConnectionError) {
      switch script.kind {
      case .unary:
        messages = [try await channel.unary(method, message(script.requests[0].size), options: options).value]
      case .serverStreaming:
        let responses = channel.serverStreaming(method, message(script.requests[0].size), options: options)
        cancelCall = responses.cancel
        if try await read(responses, clock) { return }
      case .clientStreaming: if try await upload(channel, method, clock) { return }
      case .bidirectional:
        let call = channel.bidirectional(method, options: options)
        cancelCall = call.cancel
        async let writing: Void = write(clock, call.write, call.finish)
        let failure: ConnectionError?
        do throws(ConnectionError) {
          if try await read(call.responses, clock) {
            call.cancel()
            await writing
            return
          }
          failure = nil
        } catch {
          failure = error
        }
        end(failure.map { .failure($0) } ?? .success)
        await writing
        return
      }
      end(.success)
    } catch {
      end(.failure(error))
    }
  }

  /// True when the call was dropped.
  private func read(
    _ responses: ResponseStream<DialogueMessage, ConnectionError>, _ clock: LoopClock
  ) async throws(ConnectionError) -> Bool {
    var iterator = responses.makeAsyncIterator()
    while true {
      if case .drop(let count) = script.ending, messages.count >= count {
        drop()
        return true
      }
      guard let message = try await iterator.next(isolation: nil) else { return false }
      if let cancelTime, cancelTime < dialogue.loop.now, case .cancelCall = script.ending {
        dialogue.violate("call \(script.number) hands out a message after it was cancelled")
      }
      messages.append(message.value)
      await pause(script.readingPause, clock)
    }
  }

  private func drop() {
    cancelTime = dialogue.loop.now
    cancelCall = nil
    end(.dropped)
  }

  private func upload(
    _ channel: TaxonClient.Channel, _ method: MethodDescriptor<DialogueMessage, DialogueMessage, ConnectionError>,
    _ clock: LoopClock
  ) async throws(ConnectionError) -> Bool {
    let call = channel.clientStreaming(method, options: options)
    cancelCall = call.cancel
    for (index, request) in script.requests.enumerated() {
      if case .drop(let count) = script.ending, index >= count { break }
      await pause(request.pause, clock)
      try await call.write(message(request.size))
    }
    if case .drop = script.ending {
      drop()
      return true
    }
    messages = [try await call.response().value]
    return false
  }

  private func write(
    _ clock: LoopClock, _ write: (DialogueMessage, Bool?) async throws(ConnectionError) -> Void, _ finish: () -> Void
  ) async {
    for request in script.requests {
      await pause(request.pause, clock)
      do throws(ConnectionError) { try await write(message(request.size), nil) } catch { return }
    }
    finish()
  }
}

extension DialogueCall: CustomStringConvertible {
  var description: String {
    switch outcome {
    case nil: "not over"
    case .success: "OK with \(messages.map(\.count)) bytes"
    case .dropped: "dropped"
    case .failure(let error): "\(error.status) \(error.code) \"\(error.message)\""
    }
  }
}
