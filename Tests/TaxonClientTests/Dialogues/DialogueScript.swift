// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// A dialogue: what a client's calls do, and what a server says to them. Made from a seed alone. Times are milliseconds.
struct DialogueScript {
  let seed: UInt64
  var calls: [CallScript] = []
  /// One for each connection, in the order in which they are made; those after the last are good.
  var connections: [ConnectionScript] = []
  var retries = false
  var hasBreaker = false
  var keepalive = false

  /// The client lets messages of so many bytes through.
  static let maxMessageSize = 64 * 1024
  static let connectTimeout = 1000
  static let breakerThreshold = 5

  init(seed: UInt64) {
    self.seed = seed
    var random = RandomSource(seed: seed)
    retries = random.percent(50)
    hasBreaker = random.percent(10)
    keepalive = random.percent(10)
    // Oddities of connections and of answers hide each other: some dialogues have but one kind.
    let oddConnections = random.pick([0, 30, 100])
    let oddAnswers = random.pick([0, 15, 40])
    for number in 0..<random.number(1...10) {
      calls.append(CallScript(number: number, oddAnswers: oddAnswers, &random))
    }
    for _ in 0..<random.number(0...3) {
      connections.append(
        random.percent(oddConnections) ? ConnectionScript(odd: &random) : ConnectionScript(good: &random))
    }
  }
}

enum CallKind: String, CaseIterable {
  case unary, serverStreaming, clientStreaming, bidirectional

  var takesManyMessages: Bool { self == .serverStreaming || self == .bidirectional }
  var sendsManyMessages: Bool { self == .clientStreaming || self == .bidirectional }
}

/// One call of the client's, and how its attempts are answered.
struct CallScript {
  enum Ending: Equatable {
    /// Reads to the end.
    case none
    /// The task is cancelled at the time.
    case cancelTask(at: Int)
    /// The call is cancelled at the time, where it can be; else the task.
    case cancelCall(at: Int)
    /// Lets go of the call after so many messages.
    case drop(after: Int)
  }

  let number: Int
  var kind: CallKind
  var start: Int
  var timeout: Int?
  var isIdempotent: Bool
  var waitsForReady: Bool
  /// Bytes of the request's messages, and the pauses before them.
  var requests: [(size: Int, pause: Int)]
  /// The pause after each message that is read.
  var readingPause: Int
  var ending = Ending.none
  /// One for each attempt; those after the last are good.
  var answers: [Answer]

  init(number: Int, oddAnswers: Int, _ random: inout RandomSource) {
    self.number = number
    kind = random.pick(CallKind.allCases)
    start = random.percent(50) ? 0 : random.number(0...60)
    timeout = random.percent(50) ? random.pick([1, 5, 20, 50, 200, 1000, 5000]) : nil
    isIdempotent = random.percent(50)
    waitsForReady = random.percent(20)
    let count = kind.sendsManyMessages ? random.number(0...4) : 1
    requests = []
    for _ in 0..<count {
      requests.append((random.pick([0, 1, 20, 1000, 1000, 30_000, 70_000]), random.pick([0, 0, 1, 5, 30])))
    }
    readingPause = random.pick([0, 0, 0, 1, 10])
    if random.percent(20) {
      let time = start + random.pick([0, 0, 1, 3, 10, 40])
      ending =
        switch random.number(0...2) {
        case 0: .cancelTask(at: time)
        case 1: .cancelCall(at: time)
        default: .drop(after: random.number(0...2))
        }
      if kind == .unary, case .drop = ending { ending = .none }
    }
    answers = []
    for _ in 0..<3 {
      answers.append(
        random.percent(oddAnswers)
          ? .odd(kind.takesManyMessages, &random) : .good(kind.takesManyMessages, &random))
    }
  }
}

/// How the server answers one stream.
struct Answer {
  struct Step {
    /// After the step before.
    var delay: Int
    var bytes: (_ stream: Int) -> [UInt8]
    /// The client may end the connection for it.
    var mayEndConnection = false
  }

  enum Expectation {
    /// The call succeeds with all messages.
    case success
    /// The call fails with one of these.
    case failure([StatusCode])
    /// Nothing comes that would end the call.
    case nothing
  }

  /// Leaves the stream open.
  var isSilent: Bool { if case .nothing = expectation { true } else { false } }

  var name: String
  /// Waits for the end of the request, instead of its head.
  var waitsForEnd = false
  /// Goes on though the client has reset the stream, as a server does that has not heard of it yet.
  var ignoresReset = false
  /// The messages that can be read.
  var messages: [[UInt8]] = []
  var steps: [Step] = []
  /// Steps behind the one that ends the call.
  var extraSteps = 0
  var expectation = Expectation.success
  /// The error has to say one of these, without regard to capitals and underscores.
  var says: [String] = []
  /// The client finds the fault: the server has reset nothing.
  var isClientsFinding = false
  /// The server has said so in as many words that there are none.
  var mayBeSilent = false
  /// REFUSED_STREAM before anything was answered.
  var isRefusal = false
  /// Only some of the calls' answers are an error by themselves: the last step decides.
  var isGood: Bool { if case .success = expectation { true } else { false } }
}

/// What a server does on one connection besides answering.
struct ConnectionScript {
  enum Connect {
    case comes(after: Int)
    case fails(after: Int)
    case hangs
  }

  /// Something that the server does at a time, counted from the connection's beginning.
  struct Event {
    var time: Int
    var name: String
    var act: (ServerConnection) -> Void
  }

  var connect = Connect.comes(after: 0)
  /// When the server's SETTINGS come; nil for never.
  var settingsAt: Int? = 0
  var settings: [(id: Int, value: Int)] = []
  /// What the client gets in one read, in bytes; 0 for whole frames.
  var readSize = 0
  /// Opens the windows for what comes.
  var opensWindows = true
  var answersPings = true
  var acknowledgesSettings = true
  var events: [Event] = []

  init(good random: inout RandomSource) {
    if random.percent(20) { connect = .comes(after: random.number(0...10)) }
    if random.percent(30) { readSize = random.pick([1, 3, 9, 17, 100]) }
  }

  init(odd random: inout RandomSource) {
    self.init(good: &random)
    if random.percent(10) {
      connect = random.pick([.fails(after: 0), .fails(after: 20), .hangs, .comes(after: 200)])
    }
    if random.percent(30) { settingsAt = random.pick([1, 10, 50, 300, 999, nil]) }
    if random.percent(40) { settings = Self.legalSettings(&random) }
    opensWindows = random.percent(90)
    answersPings = random.percent(90)
    acknowledgesSettings = random.percent(90)
    for _ in 0..<random.number(0...4) {
      let time = random.pick([0, 0, 1, 2, 5, 10, 20, 50, 100])
      let (name, act) = Self.event(&random)
      events.append(Event(time: time, name: name, act: act))
    }
  }

  static func legalSettings(_ random: inout RandomSource) -> [(id: Int, value: Int)] {
    var entries: [(id: Int, value: Int)] = []
    for _ in 0..<random.number(0...3) {
      let (id, values): (Int, [Int]) =
        switch random.number(0...6) {
        case 0: (SettingID.headerTableSize, [0, 1, 100, 4096, 65_536])
        case 1: (SettingID.enablePush, [0])
        case 2, 3: (SettingID.maxConcurrentStreams, [0, 1, 1, 2, 3, 100, 0x7fff_ffff, 0xffff_ffff])
        case 4: (SettingID.initialWindowSize, [0, 1, 100, 65_535, 1 << 20])
        case 5: (SettingID.maxFrameSize, [16_384, 16_385, 1 << 20, 16_777_215])
        // 8 and 9 have rules of their own (RFC 8441, RFC 9218).
        default: (random.pick([SettingID.maxHeaderListSize, 7, 0, 99, 0xffff]), [0, 1, 1 << 14, 0x7fff_ffff])
        }
      entries.append((id, random.pick(values)))
    }
    return entries
  }
}
