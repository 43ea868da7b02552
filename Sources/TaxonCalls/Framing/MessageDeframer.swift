// SPDX-License-Identifier: Apache-2.0
/// How messages lie in a body.
package enum BodyFraming: Sendable {
  /// Each has a flag and four bytes of length before it (gRPC over HTTP/2, "Length-Prefixed-Message").
  case enveloped
  /// The same as text, in Base64 (gRPC-Web).
  case base64
  /// The body is the one message; its head says whether it is compressed.
  case whole
}

/// Cuts the bytes of a stream into messages: a flag, four bytes of length, the message (gRPC over HTTP/2,
/// "Length-Prefixed-Message").
///
/// A message that lies in one piece in the input is handed out where it lies; only one that arrives in parts is gathered,
/// and memory for it grows with what arrived, not with what its prefix announces.
struct MessageDeframer {
  /// What can be wrong with the framing.
  enum Failure: Error, Equatable {
    /// The prefix announces more than the limit allows; sizes in bytes.
    case tooLarge(size: Int, limit: Int)
    /// The flag is neither 0 nor 1.
    case invalidFlag(UInt8)
  }

  /// Bytes.
  let limit: Int
  /// How messages lie in the bytes that come. Base64 is taken off before.
  private(set) var framing = BodyFraming.enveloped
  private var prefix: (UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0)
  private var prefixCount = 0
  private var gathered: [UInt8] = []
  /// Messages that were handed out.
  private var count = 0

  init(limit: Int) { self.limit = limit }

  /// Sets how messages lie in the body, before the first piece of it.
  ///
  /// - Parameter isCompressed: Whether the one message of a body without prefixes is compressed.
  mutating func take(_ framing: BodyFraming, isCompressed: Bool) {
    self.framing = framing
    if framing == .whole { prefix.0 = isCompressed ? 1 : 0 }
  }

  /// True when the input ended between two messages.
  var isAtBoundary: Bool { prefixCount == 0 }

  /// Bytes of memory that are kept from one piece of input to the next, and the prefix of a message that was not taken: an empty
  /// one is held, too, and waits.
  var heldCount: Int { hasMessage ? gathered.capacity + MessageFramer.prefixSize : gathered.capacity }

  /// A message was complete and not taken; the next `process` begins with it.
  private(set) var hasMessage = false

  /// Bytes that came of a message that is complete and not taken.
  var wholeCount: Int { hasMessage ? 5 + gathered.count : 0 }

  /// Bytes that came of a message that is not complete.
  var partCount: Int { hasMessage ? 0 : prefixCount + gathered.count }

  /// Forgets what came of a message.
  mutating func clear() {
    gathered = []
    prefixCount = 0
    hasMessage = false
  }

  /// Where in a message the input ended, such as "after 10 of the 300 bytes of message 2"; nil between two messages.
  var truncation: String? {
    if isAtBoundary { return nil }
    let number = count + 1
    guard prefixCount == 5 else { return "after \(prefixCount) of the 5 bytes of the prefix of message \(number)" }
    return "after \(gathered.count) of the \(length) bytes of message \(number)"
  }

  /// Bytes, as the prefix has them.
  private var length: Int { Int(prefix.1) << 24 | Int(prefix.2) << 16 | Int(prefix.3) << 8 | Int(prefix.4) }

  /// Takes a piece of input and hands out every message that is complete with it.
  ///
  /// - Parameter message: False when the message is not taken, and no further one is wanted for now.
  /// - Returns: Bytes of the input that were not looked at because a message was not taken.
  mutating func process(
    _ input: UnsafeRawBufferPointer, _ message: (_ isCompressed: Bool, _ bytes: UnsafeRawBufferPointer) -> Bool
  ) throws(Failure) -> Int {
    var rest = input[...]
    if hasMessage {
      hasMessage = false
      guard handGathered(message) else { return rest.count }
    }
    if framing == .whole {
      guard input.count <= limit - gathered.count else {
        throw .tooLarge(size: gathered.count + input.count, limit: limit)
      }
      gathered.append(contentsOf: input)
      return 0
    }
    while !rest.isEmpty {
      while prefixCount < 5, let byte = rest.first {
        withUnsafeMutableBytes(of: &prefix) { $0[prefixCount] = byte }
        prefixCount += 1
        rest = rest.dropFirst()
      }
      guard prefixCount == 5 else { return 0 }
      guard prefix.0 <= 1 else { throw .invalidFlag(prefix.0) }
      let length = length
      guard length <= limit else { throw .tooLarge(size: length, limit: limit) }
      let missing = length - gathered.count
      if gathered.isEmpty, rest.count >= missing {
        prefixCount = 0
        count &+= 1
        if !message(prefix.0 == 1, UnsafeRawBufferPointer(rebasing: rest.prefix(missing))) {
          // The prefix is kept, and the message, which is a copy from here on.
          prefixCount = 5
          gathered = Array(rest.prefix(missing))
          hasMessage = true
          return rest.count - missing
        }
      } else {
        gathered.append(contentsOf: rest.prefix(missing))
        guard rest.count >= missing else { return 0 }
        count &+= 1
        if !handGathered(message) { return rest.count - missing }
      }
      rest = rest.dropFirst(missing)
    }
    return 0
  }

  /// The body has ended: hands out the message that is the whole of it, unless that has happened.
  mutating func processEnd(_ message: (_ isCompressed: Bool, _ bytes: UnsafeRawBufferPointer) -> Bool) {
    guard framing == .whole, count == 0 else { return }
    count = 1
    _ = handGathered(message)
  }

  private mutating func handGathered(_ message: (Bool, UnsafeRawBufferPointer) -> Bool) -> Bool {
    let bytes = gathered
    prefixCount = 0
    if bytes.withUnsafeBytes({ message(prefix.0 == 1, $0) }) {
      gathered = []
      return true
    }
    prefixCount = 5
    hasMessage = true
    return false
  }
}
