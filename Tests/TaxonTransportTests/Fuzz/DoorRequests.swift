// SPDX-License-Identifier: Apache-2.0

/// A request as RFC 9112 reads it, by a reader that knows neither the guards nor NIO's decoder. It refuses nothing that it can read:
/// a connection may hand on less, and nothing else.
struct DoorRequest {
  let method: String
  let target: String
  let isOld: Bool
  let fields: [(name: String, value: String)]
  private(set) var body: [UInt8] = []
  private(set) var hasEnd = false

  /// The requests that lie in the bytes one behind the other, the last one perhaps not complete.
  static func read(_ bytes: [UInt8]) -> [DoorRequest] {
    var requests: [DoorRequest] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      // RFC 9112 §2.2.
      if rest.starts(with: [13, 10]) { rest = rest.dropFirst(2) }
      guard let lines = lines(&rest), var request = DoorRequest(lines) else { break }
      request.readBody(&rest)
      requests.append(request)
      if !request.hasEnd { break }
    }
    return requests
  }

  /// Lines up to an empty one, which is taken, too; nil when there is none.
  private static func lines(_ rest: inout ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
    var lines: [ArraySlice<UInt8>] = []
    var left = rest
    while let line = line(&left) {
      if line.isEmpty {
        rest = left
        return lines
      }
      lines.append(line)
    }
    return nil
  }

  private static func line(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var index = rest.startIndex
    while index + 1 < rest.endIndex {
      if rest[index] == 13, rest[index + 1] == 10 {
        defer { rest = rest[(index + 2)...] }
        return rest[..<index]
      }
      index += 1
    }
    return nil
  }

  private init?(_ lines: [ArraySlice<UInt8>]) {
    let parts = lines.first?.split(separator: 32, omittingEmptySubsequences: false) ?? []
    guard parts.count == 3 else { return nil }
    method = String(decoding: parts[0], as: UTF8.self)
    target = String(decoding: parts[1], as: UTF8.self)
    isOld = parts[2].elementsEqual("HTTP/1.0".utf8)
    fields = lines.dropFirst().map { line in
      let parts = line.split(separator: 58, maxSplits: 1, omittingEmptySubsequences: false)
      let isSpace = { (byte: UInt8) in byte == 32 || byte == 9 }
      var value = (parts.count > 1 ? parts[1] : []).drop(while: isSpace)
      while value.last.map(isSpace) == true { value.removeLast() }
      return (String(decoding: parts[0], as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self))
    }
  }

  private func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  private mutating func readBody(_ rest: inout ArraySlice<UInt8>) {
    if value("transfer-encoding") != nil { return readChunks(&rest) }
    let length = value("content-length").flatMap { Int($0) } ?? 0
    body = Array(rest.prefix(max(0, length)))
    rest = rest.dropFirst(body.count)
    hasEnd = body.count == length
  }

  private mutating func readChunks(_ rest: inout ArraySlice<UInt8>) {
    while let line = Self.line(&rest) {
      guard let size = Int(String(decoding: line.prefix { $0 != 59 }, as: UTF8.self), radix: 16), size >= 0 else {
        return
      }
      if size == 0 {
        hasEnd = Self.lines(&rest) != nil
        return
      }
      body += rest.prefix(size)
      guard rest.count >= size + 2, rest.dropFirst(size).starts(with: [13, 10]) else { return }
      rest = rest.dropFirst(size + 2)
    }
  }
}
