// SPDX-License-Identifier: Apache-2.0

/// A place in a JSON text. Found out only when something is wrong: the text up to there is read once more.
struct JSONPlace: Hashable, Sendable {
  let offset: Int
  let line: Int
  let column: Int
  let path: String

  /// Of a byte; the text before it is well formed as far as brackets and strings go. `isOfObject` where it stands for
  /// the object that ends there.
  init(_ offset: Int, in text: UnsafeBufferPointer<UInt8>, isOfObject: Bool = false) {
    self.offset = offset
    var line = 1
    var column = 1
    for byte in text[..<offset] {
      if byte == 0x0A {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        // Bytes that go on with a character do not count.
        column += 1
      }
    }
    self.line = line
    self.column = column
    path = Self.path(to: offset, in: text, isOfObject: isOfObject)
  }

  private enum Step {
    case element(Int)
    /// A key that has been read, nil before.
    case member(Range<Int>?)
  }

  private static func path(
    to offset: Int, in text: UnsafeBufferPointer<UInt8>, isOfObject: Bool
  ) -> String {
    var steps: [Step] = []
    var position = 0
    var isKey = false
    while position < offset {
      switch text[position] {
      case UInt8(ascii: "{"):
        steps.append(.member(nil))
        isKey = true
      case UInt8(ascii: "["):
        steps.append(.element(0))
        isKey = false
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        _ = steps.popLast()
        isKey = false
      case UInt8(ascii: ","):
        switch steps.last {
        case .element(let index): steps[steps.count - 1] = .element(index + 1)
        case .member:
          steps[steps.count - 1] = .member(nil)
          isKey = true
        case nil: break
        }
      case UInt8(ascii: "\""):
        let end = endOfString(from: position + 1, in: text)
        if isKey, !steps.isEmpty {
          steps[steps.count - 1] = .member((position + 1)..<end)
          isKey = false
        }
        position = end
      default: break
      }
      position += 1
    }
    if isOfObject { _ = steps.popLast() }
    return steps.reduce(into: "") { path, step in
      switch step {
      case .element(let index): path += "[\(index)]"
      case .member(nil): break
      case .member(let range?):
        let key = text[range]
        let isPlain = key.allSatisfy { isPlainCharacter($0) }
        let name = String(decoding: key, as: UTF8.self)
        path += isPlain ? (path.isEmpty ? name : ".\(name)") : "[\"\(name)\"]"
      }
    }
  }

  /// The place of the closing quote, or the end of the text.
  private static func endOfString(from start: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
    var position = start
    while position < text.count, text[position] != UInt8(ascii: "\"") {
      position += text[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(position, text.count)
  }

  private static func isPlainCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "@"):
      true
    default: false
    }
  }
}
