// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonErrors

extension Dialogue {
  /// Whether a call came to what was done to it.
  func judge(_ call: DialogueCall) {
    let number = call.script.number
    let complain = { (text: String) in self.violate("call \(number): \(text); it ended with \(call)") }
    if let deadline = call.deadline, call.isOver, call.endTime > max(deadline, call.busyUntil) {
      complain("it ended \(call.endTime - deadline) after its deadline")
    }
    judgeAttempts(call, complain)
    if let time = call.cancelTime, call.endTime > max(time, call.busyUntil) {
      complain("it ended \(call.endTime - time) after it was cancelled")
    }
    guard let outcome = call.outcome, call.cancelTime == nil else { return }
    let last = call.attempts.last
    switch outcome {
    case .dropped: break
    case .success:
      guard let last else { return complain("nobody answered it") }
      guard last.answer.isGood, last.isAnswered else { return complain("the answer \(last.answer.name) is no success") }
      if call.messages != last.answer.messages { complain("other messages came than were sent") }
    case .failure(let error):
      if let time = last?.completeTime, last?.answer.isGood == true, time < call.deadline ?? .distantFuture {
        return complain("it was answered well")
      }
      judge(call, error, complain)
    }
  }

  /// A call that may have had its effect is not made again, unless that does no harm.
  private func judgeAttempts(_ call: DialogueCall, _ complain: (String) -> Void) {
    guard !call.script.isIdempotent else { return }
    for attempt in call.attempts.dropLast() where !attempt.isUnprocessed && attempt.connection.lastOfGoAway == nil {
      complain("it was attempted again after the answer \(attempt.answer.name), reset \(attempt.resetByEvent ?? -1)")
    }
  }

  private func judge(_ call: DialogueCall, _ error: ConnectionError, _ complain: (String) -> Void) {
    var allowed: Set<StatusCode> = []
    var says: [String] = []
    var mayBeSilent = false
    let last = call.attempts.last
    let hasFaults = connections.contains { $0.fault != nil || $0.lastOfGoAway != nil } || hasHinderedDials
    if let last {
      let isTouched = last.connection.fault != nil
      if last.steps > 0, case .failure(let codes) = last.answer.expectation {
        allowed.formUnion(codes)
        says = last.answer.says
        mayBeSilent = last.answer.mayBeSilent
        if last.answer.isClientsFinding, !isTouched, last.resetByEvent == nil,
          error.message.contains("server reset the stream")
        {
          complain("the server has reset nothing (\(last.answer.name))")
        }
      }
      if let code = last.resetByEvent { allowed.formUnion(Answer.meaning(ofReset: code)) }
      if isTouched { allowed.formUnion([.unavailable, .internalError, .resourceExhausted]) }
      if isTouched || last.resetByEvent != nil { says = [] }
      if last.isUnprocessed, call.attempts.count > 1 || hasHinderedDials || connections.count > 2 {
        allowed.insert(.unavailable)
      }
    }
    // It never got a stream, or waited for the next one.
    let isWaiting = last.map { $0.isUnprocessed || $0.isComplete || $0.connection.isClosed } ?? true
    if isWaiting, hasFaults, last?.isUnprocessed != true { allowed.insert(.unavailable) }
    if connections.contains(where: { $0.hindrance?.hasPrefix("at most 0") == true }) { allowed.insert(.unavailable) }
    if let deadline = call.deadline, call.endTime >= deadline {
      allowed.insert(.deadlineExceeded)
      let isHindered = connections.contains { $0.hindrance != nil || $0.fault != nil } || hasHinderedDials
      if last == nil, !isHindered, call.script.timeout ?? 0 > 100 { complain("it was never sent") }
    }
    if script.hasBreaker, error.code == "CIRCUIT_OPEN" { allowed.insert(.unavailable) }
    guard allowed.contains(error.status) else {
      return complain(
        "expected \(allowed.map { "\($0)" }.sorted()) after \(last?.answer.name ?? "no answer")"
          + (last?.isUnprocessed == true ? ", not processed" : ""))
    }
    if error.message.isEmpty, !mayBeSilent { complain("it says nothing after \(last?.answer.name ?? "no answer")") }
    if case .connectionLost(let error) = error, error.error.isEmpty {
      complain("the connection is lost, and nobody says why")
    }
    let text = Self.plain(error.message)
    if allowed.count <= 2, error.status != .deadlineExceeded, error.code != "CIRCUIT_OPEN", !says.isEmpty,
      !says.contains(where: { text.contains(Self.plain($0)) })
    {
      complain("it does not say \(says)")
    }
  }

  private static func plain(_ text: String) -> String { text.lowercased().filter { $0.isLetter || $0.isNumber } }
}
