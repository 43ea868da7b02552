// SPDX-License-Identifier: Apache-2.0
import Foundation
import TaxonErrors
import TaxonTransport
import Testing

/// A client that is told every odd thing by a server: no call is lost that was not touched, none hangs, and each says what
/// happened. `Scripts/dialogues` holds more of them.
@Suite(.serialized) struct DialogueTests {
  private static let environment = ProcessInfo.processInfo.environment

  @Test func everyCallComesToWhatTheServerDidToIt() async {
    if let count = Self.environment["DIALOGUES"].flatMap(Int.init) {
      await hold(count, from: Self.environment["DIALOGUE_SEED"].flatMap(UInt64.init) ?? .random(in: 0...UInt64.max))
    } else {
      await hold(100, from: 1)
      await hold(100, from: .random(in: 0...UInt64.max))
    }
  }

  /// Holds dialogues on a thread of their own, since they compute for seconds: the other tests need the global pool's.
  private func hold(_ count: Int, from first: UInt64) async {
    let issues = await withCheckedContinuation { continuation in
      Thread { continuation.resume(returning: Self.issues(of: count, from: first)) }.start()
    }
    for issue in issues { Issue.record("\(issue)") }
  }

  /// nghttp2 keeps an empty DATA frame with END_STREAM back while the window is closed.
  @Test func aStreamWhoseEndHasNoRoomInTheWindowIsResetWhenItIsAnswered() {
    var script = DialogueScript(seed: 1)
    var call = script.calls[0]
    call.kind = .clientStreaming
    call.requests = []
    call.ending = .none
    call.timeout = nil
    call.answers = [.plain(false)]
    script.calls = [call]
    var connection = ConnectionScript()
    connection.settings = [(SettingID.initialWindowSize, 0)]
    script.connections = [connection]
    let dialogue = Dialogue(script)
    dialogue.hold()
    #expect(dialogue.violations == [])
    #expect(dialogue.calls.map(\.status) == ["OK"])
  }

  /// A GOAWAY may say that a stream was not processed of whose answer a part has come.
  @Test func aStreamThatIsDisownedAfterItsHeadIsUnavailable() {
    var script = DialogueScript(seed: 1)
    var call = script.calls[0]
    call.kind = .bidirectional
    call.ending = .none
    call.timeout = nil
    call.readingPause = 0
    var answer = Answer.plain(true)
    answer.steps[1].delay = 50
    call.answers = [answer]
    script.calls = [call]
    var connection = ConnectionScript()
    connection.events = [.init(time: call.start + 20, name: "GOAWAY") { $0.sendGoAway(0, 0, "") }]
    script.connections = [connection]
    script.hasBreaker = false
    let dialogue = Dialogue(script)
    dialogue.hold()
    #expect(dialogue.violations == [])
    #expect(dialogue.calls.map(\.status) == ["UNAVAILABLE"])
  }

  /// What somebody keeps of a connection is found.
  @Test func whatIsLeftOfAConnectionIsAViolation() throws {
    var kept: [AnyObject] = []
    func violations(_ keep: @escaping (HTTP2Session) -> Void) -> [String] {
      var script = DialogueScript(seed: 1)
      script.calls[0].answers = [.plain(false)]
      script.calls[0].answers[0].steps[0].delay = 50
      script.calls = [script.calls[0]]
      var connection = ConnectionScript()
      connection.events = [
        .init(time: script.calls[0].start + 20, name: "kept") { server in
          if let session = server.clientEnd?.session { keep(session) }
        }
      ]
      script.connections = [connection]
      let dialogue = Dialogue(script)
      dialogue.hold()
      return dialogue.violations
    }
    #expect(violations { _ in } == [])
    #expect(violations { kept.append($0) }.contains("the session of connection 0 is left, with 0 streams"))
    #expect(violations { kept += [$0.delegate].compactMap { $0 } }.contains("the client's connection 0 is left"))
    #expect(violations { kept += $0.streams.compactMap(\.receiver) }.contains("stream 1 of connection 0 is left"))
    #expect(kept.count == 3)
  }

  /// What is wrong with the dialogues.
  private static func issues(of count: Int, from first: UInt64) -> [String] {
    var issues: [String] = []
    var statuses: [String: Int] = [:]
    var calls = 0
    var failures = 0
    var kinds: [String: (count: Int, seed: UInt64)] = [:]
    for index in 0..<UInt64(count) {
      let script = DialogueScript(seed: first &+ index)
      let dialogue = Dialogue(script)
      dialogue.hold()
      calls += dialogue.calls.count
      for call in dialogue.calls { statuses[call.status, default: 0] += 1 }
      guard !dialogue.violations.isEmpty else { continue }
      failures += 1
      for violation in dialogue.violations {
        let kind = violation.filter { !$0.isNumber }
        kinds[kind, default: (0, script.seed)].count += 1
      }
      if failures <= 3 {
        issues.append("\(script.shrunk().report)")
      }
    }
    let histogram = statuses.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    if failures > 0 {
      for (kind, found) in kinds.sorted(by: { $0.value.count > $1.value.count }).prefix(40) {
        print("\(found.count) times, first with seed \(found.seed): \(kind)")
      }
      issues.append("\(failures) dialogues failed")
    }
    print("\(count) dialogues from seed \(first), \(calls) calls: \(histogram)")
    return issues
  }
}

extension DialogueCall {
  var status: String {
    switch outcome {
    case nil: "HANGS"
    case .success: "OK"
    case .dropped: "dropped"
    case .failure(let error): "\(error.status)"
    }
  }
}
