// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonTransport

/// Holds the glue of HTTP/1.1 to its rules whatever a client sends, however it is cut, and whatever the calls do meanwhile: requests
/// are handed on as they lie in the bytes, each has its one answer, in order, and nothing is left.
///
/// The input is a line of steps, each a character (see `take`), and behind it the bytes of a client.
func fuzzDoor(_ input: [UInt8]) {
  let parts = input.split(separator: 10, maxSplits: 1, omittingEmptySubsequences: false)
  let bytes = parts.count > 1 ? Array(parts[1]) : []
  let expected = DoorRequest.read(bytes)
  compare(bytes, expected)
  var script = DoorScript(parts[0].prefix(500), bytes)
  for (call, request) in zip(script.run(), expected) { check(call, request) }
}

/// Gives the bytes in one piece, byte by byte, and to a reader of its own.
private func compare(_ bytes: [UInt8], _ expected: [DoorRequest]) {
  let whole = read(bytes, by: bytes.count, sharesTurns: true)
  let parts = read(bytes, by: max(1, bytes.count / 1000), sharesTurns: false)
  precondition(whole.calls.count == parts.calls.count, "requests depend on where they are cut")
  precondition((whole.fault == nil) == (parts.fault == nil), "a fault depends on where it is cut")
  precondition(whole.calls.count <= expected.count, "more requests than there are")
  for (index, call) in whole.calls.enumerated() {
    let other = parts.calls[index]
    precondition(call.fields.elementsEqual(other.fields, by: ==), "a head depends on where it is cut")
    precondition(call.hasEnd == other.hasEnd, "an end depends on where it is cut")
    // What comes in the same piece as a fault is not handed on.
    precondition(
      call.hasEnd || whole.fault == nil ? call.body == other.body : other.body.starts(with: call.body),
      "a body depends on where it is cut")
    check(call, expected[index])
  }
  let (one, two) = (finals(whole), finals(parts))
  precondition(one.count == two.count, "answers depend on where requests are cut")
  for (index, answer) in one.enumerated() where index < one.count - 1 || whole.fault == nil {
    precondition(answer == two[index], "an answer depends on where requests are cut")
  }
  // A client of HTTP/1.0 knows no chunks.
  for (answer, request) in zip(one, expected) where request.isOld {
    precondition(answer.framing != .chunked, "chunks for HTTP/1.0")
  }
}

private func finals(_ connection: DoorConnection) -> [DoorAnswer] {
  DoorAnswers(connection.written) { connection.calls.count > $0 && connection.calls[$0].method == "HEAD" }.list
    .filter { !$0.isInterim }
}

/// Fields that are the connection's, or that the head has in pseudo header fields (RFC 9110 §7.6.1).
private let own: Set = [
  "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host", "expect", "http2-settings",
]

private func check(_ call: DoorCall, _ request: DoorRequest) {
  precondition(call.method == request.method, "another method than was sent")
  if request.target.hasPrefix("/") { precondition(call.path == request.target, "another target than was sent") }
  let fields = call.fields.filter { !$0.name.hasPrefix(":") }
  precondition(
    fields.elementsEqual(request.fields.filter { !own.contains($0.name) }, by: ==), "other fields than were sent")
  precondition(request.body.starts(with: call.body), "another body than was sent")
  precondition(!call.hasEnd || request.hasEnd && request.body.count == call.body.count, "another end than was sent")
}

/// A connection whose calls answer at their end.
private func read(_ bytes: [UInt8], by size: Int, sharesTurns: Bool) -> DoorConnection {
  var configuration = HTTP1Configuration()
  configuration.maxHeaderListSize = 1024
  configuration.bodyWindow = 64
  guard let connection = try? DoorConnection(configuration, sharesTurns: sharesTurns) else {
    preconditionFailure("there is no connection")
  }
  var rest = bytes[...]
  while !rest.isEmpty {
    connection.receive(rest.prefix(size))
    rest = rest.dropFirst(size)
  }
  check(connection)
  return connection
}

/// Ends what goes on, and looks at what has become of it.
private func check(_ connection: DoorConnection) {
  connection.consumes = true
  connection.setWritable(true)
  while let call = connection.open { connection.finish(call) }
  connection.checkAnswers()
  connection.end()
}

/// One run with steps.
private struct DoorScript {
  private let connection: DoorConnection
  private let steps: ArraySlice<UInt8>
  private var rest: ArraySlice<UInt8>
  private var goesOn = false

  init(_ steps: ArraySlice<UInt8>, _ bytes: [UInt8]) {
    var configuration = HTTP1Configuration()
    configuration.maxHeaderListSize = 512
    configuration.bodyWindow = 100
    configuration.smallChunks = FloodLimits.Budget(burst: 40, perSecond: 1)
    configuration.unreadBodies = FloodLimits.Budget(burst: 2, perSecond: 1)
    guard let connection = try? DoorConnection(configuration, sharesTurns: true) else {
      preconditionFailure("there is no connection")
    }
    self.connection = connection
    self.steps = steps
    rest = bytes[...]
  }

  /// Runs all steps, and what is left of the bytes. Returns the calls.
  mutating func run() -> [DoorCall] {
    for step in steps { take(step) }
    // What is left comes as fast as it is read; the calls answer by themselves.
    if goesOn { connection.complete() }
    connection.behaviour = .answersEnd
    connection.style = .plain
    connection.consumes = true
    connection.setWritable(true)
    while !rest.isEmpty, !connection.isEnding {
      if let call = connection.open { connection.finish(call) }
      guard !connection.isEnding else { break }
      precondition(connection.reads, "it does not read, though there is nothing to wait for")
      receive(4096)
    }
    if let call = connection.open { connection.finish(call) }
    check(connection)
    return connection.calls
  }

  private mutating func receive(_ count: Int) {
    guard connection.reads || goesOn else { return }
    connection.receive(rest.prefix(count), goesOn: goesOn)
    rest = rest.dropFirst(count)
  }

  private static let sizes = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 24, 32, 48, 64, 96, 100, 128, 192, 256, 512, 1024, 2048, 4096, 8192, 16384,
  ]

  // A small letter reads, a digit says what calls do by themselves from now on, the rest happens now.
  private mutating func take(_ step: UInt8) {
    switch Character(Unicode.Scalar(step)) {
    case "a"..."z":
      receive(Self.sizes[Int(step) - 97])
      return
    case "0"..."9": connection.behaviour = DoorBehaviour(rawValue: step - 48) ?? .waits
    case "-": connection.style = .noContent
    case "~": connection.style = .notModified
    case "=": connection.style = .ownLength
    case "^": connection.style = .tooLarge
    case "%": connection.style = .badBytes
    case "+": connection.style = .plain
    case "N": connection.consumes = false
    case "C": connection.consumes = true
    case ".": connection.wait(.milliseconds(20))
    case "W": connection.wait(.seconds(1))
    case "Q": connection.wait(.seconds(15))
    case "Z": connection.wait(.seconds(60))
    case "S": connection.beginShutdown()
    case "U": connection.setWritable(false)
    case "V": connection.setWritable(true)
    case "!": connection.fill()
    case "M": connection.trim()
    case "I":
      goesOn.toggle()
      if !goesOn { connection.complete() }
    case "D": connection.close()
    case "E": connection.fail()
    default:
      if let call = connection.open { take(step, call) }
    }
    if !goesOn { connection.run() }
  }

  private func take(_ step: UInt8, _ call: DoorCall) {
    switch Character(Unicode.Scalar(step)) {
    case "A": call.answer()
    case "H": call.sendHead()
    case "O": call.answerHeadOnly()
    case "B": call.send(Array("some bytes".utf8))
    case "L":
      call.send([UInt8](repeating: 120, count: 100_000))
      call.exchange.notifyWhenWritable()
    case "F": call.finish()
    case "T": call.finish(["x-end: yes"])
    case "X": call.reset(.cancel)
    case "Y": call.reset(.refusedStream)
    case "G": call.exchange.resetWhenAnswered()
    case "K": call.consume(call.unconsumed)
    case "J": call.consume(call.unconsumed / 2)
    case "P": call.mayPause.toggle()
    case "R": call.exchange.completedMessage()
    case "?": call.look()
    case "@": call.exchange.announce(1000)
    default: break
    }
  }
}
