// SPDX-License-Identifier: Apache-2.0

/// An answer as a strict client of HTTP/1.1 reads it (RFC 9112).
struct DoorAnswer: Equatable {
  /// How the body's end is found.
  enum Framing: Equatable { case none, length, chunked, close }

  let status: Int
  let fields: [String]
  let framing: Framing
  var body: [UInt8] = []
  var trailers: [String] = []
  /// False: the bytes end before the answer does.
  var isComplete = true

  var isInterim: Bool { status < 200 }
  /// The call that gave the answer; nil for the connection's own.
  var call: Int? { value("x-call").flatMap { Int($0) } }
  /// The answer says that it is the last one.
  var closes: Bool { value("connection") == "close" }

  func value(_ name: String) -> String? {
    fields.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
  }
}

/// Reads what a connection has written, and stops the process at the first byte that no answer has there.
struct DoorAnswers {
  private let bytes: [UInt8]
  private var position = 0
  private(set) var list: [DoorAnswer] = []

  /// - Parameter isBodiless: Whether the final answer of a place in the order is one to HEAD.
  init(_ bytes: [UInt8], isBodiless: (Int) -> Bool) {
    self.bytes = bytes
    var finals = 0
    while position < bytes.count {
      guard let (status, fields) = head() else {
        precondition(false, "the output ends inside of a head")
        return
      }
      let isInterim = status < 200
      add(status, fields, hasBody: !(isInterim || status == 204 || status == 304 || isBodiless(finals)))
      if !isInterim { finals += 1 }
    }
  }

  /// A line without its end; nil when the bytes end before.
  private mutating func line() -> String? {
    guard let end = bytes[position...].firstIndex(of: 13) else { return nil }
    guard end + 1 < bytes.count else { return nil }
    precondition(bytes[end + 1] == 10, "a line ends with CR alone")
    let text = bytes[position..<end]
    precondition(text.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 9 }, "a line has a control character")
    position = end + 2
    return String(decoding: text, as: UTF8.self)
  }

  private mutating func head() -> (Int, [String])? {
    guard let first = line() else { return nil }
    let parts = first.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
    precondition(parts.count == 3 && parts[0] == "HTTP/1.1" && parts[1].utf8.count == 3, "no status line: \(first)")
    guard let status = Int(parts[1]), (100...599).contains(status) else { preconditionFailure("no status: \(first)") }
    guard let fields = fields() else { return nil }
    return (status, fields)
  }

  private mutating func fields() -> [String]? {
    var fields: [String] = []
    while let line = line() {
      if line.isEmpty { return fields }
      guard let colon = line.utf8.firstIndex(of: 58) else { preconditionFailure("no field: \(line)") }
      let name = line[..<colon]
      precondition(
        !name.isEmpty && name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 },
        "no name of a field: \(line)")
      precondition(line[colon...].hasPrefix(": "), "no value of a field: \(line)")
      fields.append(line)
    }
    return nil
  }

  private mutating func add(_ status: Int, _ fields: [String], hasBody: Bool) {
    let lengths = fields.filter { $0.hasPrefix("content-length: ") }
    let codings = fields.filter { $0.hasPrefix("transfer-encoding: ") }
    precondition(lengths.count + codings.count <= 1, "two lengths: \(fields)")
    precondition(codings.allSatisfy { $0 == "transfer-encoding: chunked" }, "an unknown coding: \(fields)")
    // RFC 9112 §6.1, RFC 9110 §8.6.
    precondition(hasBody || codings.isEmpty, "an answer without a body has chunks")
    precondition(status >= 200 && status != 204 || lengths.isEmpty, "an answer that never has a body has a length")
    var answer = DoorAnswer(
      status: status, fields: fields,
      framing: !hasBody ? .none : !lengths.isEmpty ? .length : !codings.isEmpty ? .chunked : .close)
    switch answer.framing {
    case .none: break
    case .length:
      guard let length = Int(lengths[0].dropFirst(16)) else { preconditionFailure("no length: \(lengths[0])") }
      answer.body = Array(bytes[position...].prefix(length))
      answer.isComplete = answer.body.count == length
      position += answer.body.count
    case .chunked: answer.isComplete = chunks(of: &answer)
    case .close:
      precondition(answer.closes, "nothing says where the answer ends: \(fields)")
      answer.body = Array(bytes[position...])
      position = bytes.count
    }
    if let last = list.last {
      precondition(!last.closes || last.isInterim, "an answer behind the last one")
      precondition(last.isComplete, "an answer behind one that is cut off")
      precondition(!last.isInterim || !answer.isInterim, "two interim answers")
    }
    list.append(answer)
  }

  /// False: the bytes end before the body does.
  private mutating func chunks(of answer: inout DoorAnswer) -> Bool {
    while true {
      guard let line = line() else {
        position = bytes.count
        return false
      }
      guard let size = Int(line, radix: 16), !line.hasPrefix("+"), !line.hasPrefix("-") else {
        preconditionFailure("no size of a chunk: \(line)")
      }
      if size == 0 {
        guard let trailers = fields() else {
          position = bytes.count
          return false
        }
        answer.trailers = trailers
        return true
      }
      let data = bytes[position...].prefix(size)
      answer.body += data
      position += data.count
      guard data.count == size, let end = self.line() else {
        position = bytes.count
        return false
      }
      precondition(end.isEmpty, "a chunk is longer than its size")
    }
  }
}
