// SPDX-License-Identifier: Apache-2.0

/// Goes through the elements of an `Accept` field, or another with weights.
struct AcceptHeader {
  private var rest: Substring.UTF8View

  init(_ field: String) {
    rest = Substring(field).utf8
  }

  /// The next media range and its weight in thousandths; nil at the end. Parameters other than the weight say nothing about JSON.
  mutating func next() -> (type: Substring.UTF8View, weight: Int)? {
    guard !rest.isEmpty else { return nil }
    let type = part().trimmed
    var weight = 1000
    while take(";") {
      let parameter = part().trimmed
      if parameter.count > 2, parameter.prefix(2).isEqual(to: "q=") {
        weight = Self.thousandths(parameter.dropFirst(2)) ?? weight
      }
    }
    _ = take(",")
    return (type, weight)
  }

  /// Takes what comes before the next comma or semicolon outside of a quoted string (RFC 9110 §5.6.4).
  private mutating func part() -> Substring.UTF8View {
    var isQuoted = false
    var isEscaped = false
    let end =
      rest.firstIndex { byte in
        if isEscaped {
          isEscaped = false
        } else if isQuoted, byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isQuoted.toggle()
        }
        return !isQuoted && (byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";"))
      } ?? rest.endIndex
    let part = rest[..<end]
    rest = rest[end...]
    return part
  }

  private mutating func take(_ separator: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: separator) else { return false }
    rest = rest.dropFirst()
    return true
  }

  /// A weight (RFC 9110 §12.4.2): 0 to 1 with at most three digits behind the point; nil for anything else.
  private static func thousandths(_ text: Substring.UTF8View) -> Int? {
    let fraction = text.dropFirst(2)
    guard let whole = text.first, whole == UInt8(ascii: "0") || whole == UInt8(ascii: "1"), fraction.count <= 3,
      text.count == 1 || text.dropFirst().first == UInt8(ascii: "."),
      fraction.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    var value = whole == UInt8(ascii: "1") ? 1 : 0
    for position in 0..<3 {
      let digit = fraction.dropFirst(position).first.map { Int($0 - UInt8(ascii: "0")) } ?? 0
      value = value * 10 + digit
    }
    return value <= 1000 ? value : nil
  }
}

extension Substring.UTF8View {
  /// Without spaces and tabs around it.
  var trimmed: Self {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
      return self[endIndex...]
    }
    return self[first...last]
  }

  /// Whether it is this text, which is in lower case, in whatever case.
  func isEqual(to text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    return zip(self, UnsafeBufferPointer(start: text.utf8Start, count: count)).allSatisfy { byte, expected in
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 == expected : byte == expected
    }
  }
}
