// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonErrors

/// The server's end of one connection of a dialogue: answers streams as their calls are to be answered, does what its own
/// script says, and knows of each stream what has reached the client.
final class ServerConnection {
  /// One attempt of a call, as the server sees it.
  final class Attempt {
    let id: Int
    unowned let call: DialogueCall
    let answer: Answer
    unowned let connection: ServerConnection
    /// Steps that have reached the client.
    var steps = 0
    /// The code with which an event has reset the stream, before the answer was complete.
    var resetByEvent: Int?
    /// A GOAWAY has said that the stream was not processed, before anything was answered.
    var isUnprocessed = false
    /// The client has ended its part, or has reset the stream.
    var hasRequest = false
    var isResetByClient = false
    /// When the end of the answer had reached the client, on a connection that was whole.
    var completeTime: NIODeadline?

    init(id: Int, call: DialogueCall, answer: Answer, connection: ServerConnection) {
      self.id = id
      self.call = call
      self.answer = answer
      self.connection = connection
    }

    var isAnswered: Bool { steps >= answer.steps.count - answer.extraSteps && !answer.steps.isEmpty }
    var isComplete: Bool { completeTime != nil }
  }

  let script: ConnectionScript
  private unowned let dialogue: Dialogue
  let channel: EmbeddedChannel
  let number: Int
  /// What the client has of it, once it is made.
  private(set) var clientEnd: ClientEnd?
  private let checker = FrameChecker()
  private var attempts: [Int: Attempt] = [:]
  private var hasSentSettings = false
  private var held: [[UInt8]] = []
  /// Why the client may end the connection, and its calls with it.
  private(set) var fault: String?
  /// Why calls may have to wait for long.
  private(set) var hindrance: String?
  private(set) var lastOfGoAway: Int?
  private(set) var isClosed = false
  /// The server has closed it.
  private(set) var isClosedByServer = false

  init(_ script: ConnectionScript, number: Int, in dialogue: Dialogue) {
    self.script = script
    self.dialogue = dialogue
    self.number = number
    channel = EmbeddedChannel(loop: dialogue.loop)
    if script.settingsAt != 0 { hindrance = "SETTINGS at \(script.settingsAt.map { "\($0)" } ?? "no time")" }
    if script.settingsAt.map({ $0 >= DialogueScript.connectTimeout - 100 }) ?? true { fault = "no SETTINGS" }
    if !script.opensWindows { hindrance = "windows stay closed" }
    if dialogue.script.keepalive, !script.answersPings { fault = "no answer to PING" }
  }

  /// The connection is made.
  func begin() throws {
    clientEnd = try ClientEnd(of: self)
    channel.connect(to: try SocketAddress(unixDomainSocketPath: "/dialogue"), promise: nil)
    if let time = script.settingsAt {
      dialogue.after(time) { [weak self] in self?.sendFirstSettings() }
    }
    for event in script.events {
      dialogue.after(event.time) { [weak self] in
        guard let self, !self.isClosed else { return }
        self.note("event: \(event.name)")
        event.act(self)
      }
    }
  }

  var violations: [String] { checker.violations.map { "connection \(number): the client sent \($0)" } }
  var openStreams: [Int] { checker.openStreams }
  var highestStream: Int { checker.highestStream }
  var closedStream: Int? { attempts.keys.sorted().first { !checker.openStreams.contains($0) } }

  private func note(_ text: @autoclosure () -> String) { dialogue.note("connection \(number): \(text())") }

  // MARK: What the server says

  private func sendFirstSettings() {
    guard !isClosed else { return }
    hasSentSettings = true
    sendSettings(script.settings)
    for bytes in held { send(bytes) }
    held = []
  }

  func sendSettings(_ entries: [(id: Int, value: Int)]) {
    for entry in entries where entry.id == SettingID.maxConcurrentStreams && entry.value < 50 {
      hindrance = "at most \(entry.value) streams"
      // It may be given up after the time that a connection may take.
      if entry.value == 0, fault == nil { fault = "no streams allowed" }
    }
    for entry in entries where entry.id == SettingID.initialWindowSize && entry.value < 65_535 {
      hindrance = "windows of \(entry.value)"
    }
    // A window that an update has made large may grow past 2^31 - 1.
    send(FrameBytes.settings(entries))
  }

  /// Sends what a client has to take.
  func send(_ bytes: [UInt8]) {
    guard hasSentSettings else {
      held.append(bytes)
      return
    }
    deliver(bytes)
  }

  /// Sends what a client may end the connection for, at once.
  func breakRule(_ bytes: [UInt8]) {
    guard !isClosed else { return }
    mayEnd("a rule was broken")
    deliver(bytes)
  }

  private func mayEnd(_ reason: String) {
    if fault == nil { fault = reason }
    checker.isLenient = true
  }

  func sendGoAway(_ last: Int, _ code: Int, _ text: String) {
    // Before SETTINGS it breaks a rule (RFC 9113 §3.4).
    if !hasSentSettings { mayEnd("GOAWAY before SETTINGS") }
    if let before = lastOfGoAway, last > before { mayEnd("a second GOAWAY with a higher stream") }
    if last > 0, last & 1 == 0 { mayEnd("GOAWAY names a stream that is none of the client's") }
    lastOfGoAway = min(lastOfGoAway ?? last, last)
    if code != 0 { mayEnd("GOAWAY with an error") }
    for attempt in attempts.values where attempt.id > last && attempt.steps == 0 && attempt.resetByEvent == nil {
      attempt.isUnprocessed = fault == nil || code != 0
    }
    // What it has begun to answer, the server says, it has not processed.
    for attempt in attempts.values
    where attempt.id > last && attempt.steps > 0 && attempt.resetByEvent == nil
      && (!attempt.isComplete || attempt.answer.isSilent)
    {
      attempt.resetByEvent = 7
    }
    deliver(FrameBytes.goAway(last, code, text))
  }

  func resetOpenStream(_ place: Int, _ code: Int) {
    let open = openStreams.compactMap { attempts[$0] }
    guard hasSentSettings, !open.isEmpty else { return }
    let attempt = open[place % open.count]
    let id = attempt.id
    // A silent answer is said to its end and leaves the stream open. Only the first reset counts.
    let isUnanswered = attempt.completeTime == nil || attempt.answer.isSilent
    if isUnanswered, attempt.resetByEvent == nil { attempt.resetByEvent = code }
    send(FrameBytes.reset(id, code))
  }

  func close() {
    guard !isClosed else { return }
    mayEnd("the server closed it")
    isClosedByServer = true
    channel.close(promise: nil)
  }

  func breakOff() {
    guard !isClosed else { return }
    mayEnd("it broke")
    isClosedByServer = true
    channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
  }

  private func deliver(_ bytes: [UInt8]) {
    var rest = bytes[...]
    let size = script.readSize == 0 ? bytes.count : max(script.readSize, bytes.count / 20)
    while !rest.isEmpty, !isClosed {
      let part = Array(rest.prefix(size))
      rest = rest.dropFirst(size)
      checker.reaches(part)
      channel.pipeline.fireChannelRead(ByteBuffer(bytes: part))
      channel.pipeline.fireChannelReadComplete()
    }
  }

  // MARK: What the client says

  func receive(_ bytes: [UInt8]) {
    for event in checker.take(bytes) {
      if case .reset(let id, _) = event { attempts[id]?.isResetByClient = true }
      // Inside the client's own code: what it causes comes later.
      dialogue.after(0) { [weak self] in
        guard let self, !self.isClosed else { return }
        self.react(to: event)
      }
    }
  }

  private func react(to event: FrameChecker.Event) {
    switch event {
    case .settings: if script.acknowledgesSettings { send(FrameBytes.frame(.settings, flags: FrameFlags.ack)) }
    case .ping(let payload):
      if script.answersPings { send(FrameBytes.frame(.ping, flags: FrameFlags.ack, payload)) }
    case .headers(let id, let fields, let endStream): begin(id, fields, endStream)
    case .data(let id, let count, let endStream):
      if script.opensWindows, count > 0 {
        send(FrameBytes.windowUpdate(0, count))
        if checker.openStreams.contains(id), !endStream { send(FrameBytes.windowUpdate(id, count)) }
      }
      if endStream { requestEnded(id) }
    case .reset(let id, let code):
      note("the client resets \(id) with \(code)")
    case .goAway(let code, let text): note("the client goes away with \(code) \(text)")
    }
  }

  private func begin(_ id: Int, _ fields: [Field], _ endStream: Bool) {
    guard let text = fields.first(where: { $0.name == "call" })?.value, let number = Int(text) else {
      return dialogue.violate("a stream that is no call of the dialogue's: \(fields)")
    }
    let call = dialogue.calls[number]
    let index = call.attempts.count
    let answers = call.script.answers
    let answer = index < answers.count ? answers[index] : Answer.plain(call.script.kind.takesManyMessages)
    let attempt = Attempt(id: id, call: call, answer: answer, connection: self)
    attempt.hasRequest = endStream
    attempts[id] = attempt
    call.attempts.append(attempt)
    note("call \(number) begins on stream \(id), answered by: \(answer.name)")
    if let last = lastOfGoAway, id > last { attempt.isUnprocessed = true }
    if endStream || !answer.waitsForEnd { take(attempt) }
  }

  private func requestEnded(_ id: Int) {
    guard let attempt = attempts[id], !attempt.hasRequest else { return }
    attempt.hasRequest = true
    if attempt.answer.waitsForEnd { take(attempt) }
  }

  /// Goes on with the answer.
  private func take(_ attempt: Attempt) {
    guard attempt.steps < attempt.answer.steps.count else { return }
    let step = attempt.answer.steps[attempt.steps]
    dialogue.after(step.delay) { [weak self] in
      guard let self, !self.isClosed, !attempt.isUnprocessed, attempt.resetByEvent == nil else { return }
      if attempt.isResetByClient, !attempt.answer.ignoresReset { return }
      guard self.hasSentSettings else {
        // An answer before SETTINGS would end the connection.
        self.dialogue.after(1) { [weak self] in self?.take(attempt) }
        return
      }
      if step.mayEndConnection { self.mayEnd("the answer of stream \(attempt.id)") }
      // Whatever else it may be given up for: no rule was broken.
      let wasWhole = !self.checker.isLenient
      attempt.steps += 1
      if attempt.isAnswered, !attempt.isComplete {
        if wasWhole, !attempt.isResetByClient { attempt.completeTime = self.dialogue.loop.now }
        self.note("stream \(attempt.id) is answered")
      }
      self.send(step.bytes(attempt.id))
      self.take(attempt)
    }
  }

  // MARK: The end

  /// The client, or the server, has closed the connection.
  func ended() {
    guard !isClosed else { return }
    isClosed = true
    note("closed")
    checker.ended()
    guard fault == nil, !isClosedByServer, !dialogue.isShutDown else { return }
    let open = attempts.values.filter {
      !$0.isComplete && !$0.isUnprocessed && !$0.isResetByClient && $0.resetByEvent == nil
    }
    if lastOfGoAway == nil || !open.isEmpty {
      dialogue.violate("connection \(number): the client closed it for no reason, with \(open.count) calls on it")
    }
    fault = "closed by the client"
  }
}

extension Answer {
  /// What is said when a call was attempted more often than its script knows of.
  static func plain(_ many: Bool) -> Answer {
    var answer = Answer(name: "plain", messages: [[1]])
    answer.addHead()
    answer.addData(framed([1]))
    answer.addTrailers()
    return answer
  }
}
