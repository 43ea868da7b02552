// SPDX-License-Identifier: Apache-2.0

extension DialogueScript {
  /// Whether the dialogue fails in the same way, but for the numbers.
  private func fails(like kind: String) -> Bool {
    let dialogue = Dialogue(self)
    dialogue.hold()
    return dialogue.violations.contains { Self.kind($0) == kind }
  }

  private static func kind(_ violation: String) -> String { violation.filter { !$0.isNumber } }

  /// The dialogue without what it fails without, too.
  func shrunk() -> DialogueScript {
    let dialogue = Dialogue(self)
    dialogue.hold()
    guard let kind = dialogue.violations.first.map(Self.kind) else { return self }
    var script = self
    func attempt(_ change: (inout DialogueScript) -> Void) {
      var smaller = script
      change(&smaller)
      if smaller.fails(like: kind) { script = smaller }
    }
    attempt { $0.keepalive = false }
    attempt { $0.hasBreaker = false }
    attempt { $0.retries = false }
    for index in script.connections.indices {
      attempt { $0.connections[index] = ConnectionScript() }
      attempt { $0.connections[index].readSize = 0 }
      attempt { $0.connections[index].settings = [] }
      attempt { $0.connections[index].settingsAt = 0 }
      attempt { $0.connections[index].connect = .comes(after: 0) }
      for event in script.connections[index].events.indices.reversed() {
        attempt { $0.connections[index].events.remove(at: event) }
      }
    }
    for index in script.calls.indices.reversed() {
      // A call is known by its number: one that begins late and asks for nothing is as good as none.
      attempt {
        $0.calls[index].start = 9000
        $0.calls[index].timeout = 1
        $0.calls[index].ending = .none
        $0.calls[index].answers = []
      }
      for answer in script.calls[index].answers.indices {
        attempt { $0.calls[index].answers[answer] = .plain($0.calls[index].kind.takesManyMessages) }
      }
      attempt { $0.calls[index].ending = .none }
      attempt { $0.calls[index].timeout = nil }
      attempt { $0.calls[index].readingPause = 0 }
    }
    return script
  }

  /// What is in the dialogue, what happened, and what was wrong.
  var report: String {
    let dialogue = Dialogue(self, logs: true)
    dialogue.hold()
    var lines = ["seed \(seed), retries \(retries), breaker \(hasBreaker), keepalive \(keepalive)"]
    for call in calls where call.start < 9000 {
      lines.append(
        "call \(call.number): \(call.kind) at \(call.start) ms, timeout \(call.timeout.map { "\($0)" } ?? "none"), "
          + "\(call.isIdempotent ? "idempotent" : "once"), \(call.ending), sends \(call.requests), "
          + "answers \(call.answers.map(\.name))")
    }
    for (index, connection) in connections.enumerated() {
      lines.append(
        "connection \(index): \(connection.connect), SETTINGS \(connection.settings) at "
          + "\(connection.settingsAt.map { "\($0)" } ?? "no time"), reads of \(connection.readSize), "
          + "events \(connection.events.map { "\($0.time) ms \($0.name)" })")
    }
    return (lines + (dialogue.log ?? []) + dialogue.violations)
      .joined(separator: "\n")
  }
}
