// SPDX-License-Identifier: Apache-2.0

/// Everything that is wrong with a text which a message's `init(json:)` has refused.
package struct JSONFaults: Hashable, Sendable {
  /// One thing that is wrong.
  package struct Fault: Hashable, Sendable {
    /// What is wrong. Some reasons repeat what the text says.
    package let reason: JSONDecodingError.Reason
    /// The path to the field through the text, such as `tasks[3].labels["a b"]`, with the names that the text has; cut, with "..."
    /// behind, after some 256 bytes. Where the text is not JSON, only as far as the message declares it.
    package let path: String
    /// The line, from 1. Lines end with a line feed.
    package let line: Int
    /// The column, from 1, in characters of Unicode.
    package let column: Int
  }

  /// Whether the text is JSON (RFC 8259). Where it is not, `found` has the first place at which it is not.
  package let isWellFormed: Bool
  /// The first faults, in the order of the text, of which there are at most `maxFound`.
  package let found: [Fault]
  /// How many faults there are beyond those in `found`.
  package let notKept: Int
  /// How many faults are kept: 100.
  package static let maxFound = 100
}

extension Message {
  /// Finds everything that is wrong with a text which `init(json:)` has refused, in time and memory that grow with its length alone.
  /// Nothing is found in a text that is not refused, or for a reason that only one pass can see: a message over 2 GiB.
  package static func jsonFaults(
    in text: UnsafeBufferPointer<UInt8>, options: JSONDecodingOptions = JSONDecodingOptions()
  ) -> JSONFaults {
    descriptor.link()
    let table = descriptor.json
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    if let fault = JSONParser.grammarFault(in: text, arena, table) {
      return JSONFaults(isWellFormed: false, found: [fault], notKept: 0)
    }
    let log = JSONFaultLog()
    var parser = JSONParser(text, arena: arena, options: options, log: log)
    parser.collect(table)
    return JSONFaults(isWellFormed: true, found: log.faults(in: text), notKept: log.count - log.entries.count)
  }
}

/// The faults that a parser has met and gone on behind.
final class JSONFaultLog {
  struct Entry {
    let reason: JSONDecodingError.Reason
    let offset: Int
  }

  /// The first of them.
  private(set) var entries: [Entry] = []
  /// How many there are in all.
  private(set) var count = 0

  func note(_ reason: JSONDecodingError.Reason, _ offset: Int) {
    count += 1
    if entries.count < JSONFaults.maxFound { entries.append(Entry(reason: reason, offset: offset)) }
  }

  /// The faults with their places.
  func faults(in text: UnsafeBufferPointer<UInt8>) -> [JSONFaults.Fault] {
    var scanner = JSONPlaceScanner(text, maxSteps: JSONPlaceScanner.maxPathLength)
    return entries.sorted { $0.offset < $1.offset }.map { entry in
      scanner.goOn(to: entry.offset)
      var missing: String?
      if case .missingRequiredField(let name) = entry.reason { missing = name }
      var path = scanner.path(
        maxLength: JSONPlaceScanner.maxPathLength, isOfObject: missing != nil, includesKey: true)
      if let missing { path += path.isEmpty ? missing : ".\(missing)" }
      return JSONFaults.Fault(reason: entry.reason, path: path, line: scanner.line, column: scanner.column)
    }
  }
}

extension JSONParser {
  /// The first place at which a text is not JSON.
  fileprivate static func grammarFault(
    in text: UnsafeBufferPointer<UInt8>, _ arena: MessageArena, _ table: UnsafePointer<JSONTable>
  ) -> JSONFaults.Fault? {
    var parser = JSONParser(text, arena: arena, options: JSONDecodingOptions())
    do throws(JSONFault) {
      try parser.skipTree()
      try parser.expectEnd()
      return nil
    } catch {
      var scanner = JSONPlaceScanner(text, maxSteps: JSONPlaceScanner.maxPathLength)
      scanner.goOn(to: parser.faultOffset)
      return JSONFaults.Fault(
        reason: parser.reason ?? .unexpectedEnd, path: scanner.declaredPath(of: table), line: scanner.line,
        column: scanner.column)
    }
  }

  /// Reads a text that is JSON, and notes what is wrong with it.
  fileprivate mutating func collect(_ table: UnsafePointer<JSONTable>) {
    do throws(JSONFault) {
      _ = try root(table)
    } catch {
      log?.note(reason ?? .unexpectedEnd, faultOffset)
    }
  }

  /// Notes the fault that was thrown for a member, or for its key, and goes on behind its value; throws it again where faults are not
  /// collected.
  @inline(never)
  mutating func goOn(after fault: JSONFault, behindMemberAt key: UnsafePointer<UInt8>) throws(JSONFault) {
    try note(fault)
    cursor = key
    _ = try string()
    try expect(UInt8(ascii: ":"))
    try skipTree()
  }

  /// Notes the fault that was made or thrown last; throws it where faults are not collected.
  mutating func note(_ fault: JSONFault, unless isKnown: Bool = false) throws(JSONFault) {
    guard let log else { throw fault }
    if !isKnown { log.note(reason ?? .unexpectedEnd, faultOffset) }
    faultTable = nil
    faultMember = nil
  }

  /// Reads the elements of a list, of which there is one, and notes what is wrong with each; keeps the last one that is right, so that
  /// the list is not empty.
  @inline(never)
  mutating func collectElements(
    _ member: UnsafePointer<JSONMember>, _ slot: UnsafeMutableRawPointer
  ) throws(JSONFault) {
    let element = arena.allocate(member.pointee.kind.stride)
    slot.storeBytes(of: element, as: UnsafeMutableRawPointer.self)
    repeat {
      let next = peek()
      let place = cursor
      do throws(JSONFault) {
        if next == UInt8(ascii: "n"), !member.pointee.acceptsNull { throw fail(.nullElement, at: place) }
        if try value(member, to: element) != .ignored {
          slot.storeBytes(of: 1, toByteOffset: Slot.quantifier, as: Int.self)
        }
      } catch {
        try note(error)
        cursor = place
        try skipTree()
      }
    } while try goesOn(until: UInt8(ascii: "]"))
  }

  /// Skips a value of any kind and depth, which must be well formed. Takes a byte of memory for each object or list that it is in.
  mutating func skipTree() throws(JSONFault) {
    var closing: [UInt8] = []
    repeat {
      switch peek() {
      case UInt8(ascii: "{"):
        cursor += 1
        if peek() == UInt8(ascii: "}") {
          cursor += 1
        } else {
          closing.append(UInt8(ascii: "}"))
          try skipKey()
          continue
        }
      case UInt8(ascii: "["):
        cursor += 1
        if peek() == UInt8(ascii: "]") {
          cursor += 1
        } else {
          closing.append(UInt8(ascii: "]"))
          continue
        }
      default: try skipScalar()
      }
      // A value has ended, and perhaps what it is in.
      while let bracket = closing.last {
        if try goesOn(until: bracket) {
          if bracket == UInt8(ascii: "}") { try skipKey() }
          break
        }
        closing.removeLast()
      }
    } while !closing.isEmpty
  }

  private mutating func skipKey() throws(JSONFault) {
    _ = try string()
    try expect(UInt8(ascii: ":"))
  }
}
