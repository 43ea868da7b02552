// SPDX-License-Identifier: Apache-2.0

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
  private var prefix: (UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0)
  private var prefixCount = 0
  private var gathered: [UInt8] = []
  /// Messages that were handed out.
  private var count = 0

  init(limit: Int) { self.limit = limit }

  /// True when the input ended between two messages.
  var isAtBoundary: Bool { prefixCount == 0 }

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
  mutating func process(
    _ input: UnsafeRawBufferPointer, _ message: (_ isCompressed: Bool, _ bytes: UnsafeRawBufferPointer) -> Void
  ) throws(Failure) {
    var rest = input[...]
    while !rest.isEmpty {
      while prefixCount < 5, let byte = rest.first {
        withUnsafeMutableBytes(of: &prefix) { $0[prefixCount] = byte }
        prefixCount += 1
        rest = rest.dropFirst()
      }
      guard prefixCount == 5 else { return }
      guard prefix.0 <= 1 else { throw .invalidFlag(prefix.0) }
      let length = length
      guard length <= limit else { throw .tooLarge(size: length, limit: limit) }
      let missing = length - gathered.count
      if gathered.isEmpty, rest.count >= missing {
        prefixCount = 0
        count &+= 1
        message(prefix.0 == 1, UnsafeRawBufferPointer(rebasing: rest.prefix(missing)))
      } else {
        gathered.append(contentsOf: rest.prefix(missing))
        guard rest.count >= missing else { return }
        prefixCount = 0
        count &+= 1
        gathered.withUnsafeBytes { message(prefix.0 == 1, $0) }
        gathered = []
      }
      rest = rest.dropFirst(missing)
    }
  }
}
