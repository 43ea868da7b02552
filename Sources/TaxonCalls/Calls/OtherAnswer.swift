// SPDX-License-Identifier: Apache-2.0

/// An answer that is HTTP and not gRPC, as proxies give it in place of a server.
package struct OtherAnswer: Sendable, Hashable {
  /// What the call's error says of it, such as "nginx/1.22.1 answered HTTP 502".
  package let message: String
  /// The beginning of its body, in one line: at most 256 bytes of what came with the head. Nil when there is none, or it
  /// is not text.
  package let body: String?
}

/// Keeps the beginning of the body of an answer that is not gRPC, for the log.
final class OtherAnswerReader {
  private let message: String
  // The stream's session is out of reach when the stream is closed.
  private weak var delegate: (any ClientStreamDelegate)?
  private var bytes: [UInt8] = []
  private static let limit = 256

  init(_ message: String, _ delegate: (any ClientStreamDelegate)?) {
    self.message = message
    self.delegate = delegate
  }

  func receive(_ data: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: data.prefix(Self.limit - bytes.count))
  }

  /// The stream is closed.
  func finish() { delegate?.receivedOtherAnswer(OtherAnswer(message: message, body: Self.text(bytes))) }

  /// In one line; nil when it has bytes that no text has.
  static func text(_ bytes: [UInt8]) -> String? {
    let blanks: Set<UInt8> = [9, 10, 13]
    guard bytes.allSatisfy({ $0 >= 32 && $0 != 127 || blanks.contains($0) }) else { return nil }
    var text = String(decoding: bytes, as: UTF8.self)
    // The limit may cut a character.
    while bytes.count == limit, text.last == "\u{FFFD}" { text.removeLast() }
    let words = text.split { $0.isWhitespace || $0.isNewline }
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}
