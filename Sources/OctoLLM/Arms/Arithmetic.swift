// SPDX-License-Identifier: Apache-2.0

/// An arithmetic expression: numbers, + - * /, signs and parentheses.
struct Arithmetic {
  /// What is wrong with an expression.
  struct Mistake: Error, CustomStringConvertible {
    let description: String
  }

  private var rest: Substring
  private var depth = 0
  private static let maxDepth = 100

  /// The value of an expression.
  static func evaluate(_ text: String) throws(Mistake) -> Double {
    var parser = Arithmetic(rest: text[...])
    let value = try parser.sum()
    if let next = parser.peek() { throw Mistake(description: "Unexpected \"\(next)\"") }
    guard value.isFinite else { throw Mistake(description: "The result is not a number") }
    return value
  }

  private init(rest: Substring) { self.rest = rest }

  private mutating func sum() throws(Mistake) -> Double {
    var value = try product()
    while let sign = take(among: "+-") {
      let term = try product()
      value = sign == "+" ? value + term : value - term
    }
    return value
  }

  private mutating func product() throws(Mistake) -> Double {
    var value = try factor()
    while let sign = take(among: "*/") {
      let term = try factor()
      if sign == "/", term == 0 { throw Mistake(description: "Division by zero") }
      value = sign == "*" ? value * term : value / term
    }
    return value
  }

  private mutating func factor() throws(Mistake) -> Double {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maxDepth else { throw Mistake(description: "Nested too deeply") }
    if let sign = take(among: "+-") { return sign == "-" ? -(try factor()) : try factor() }
    if take(among: "(") != nil {
      let value = try sum()
      guard take(among: ")") != nil else { throw Mistake(description: "A parenthesis is not closed") }
      return value
    }
    guard let next = peek() else { throw Mistake(description: "The expression ends too early") }
    let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let value = Double(digits) else { throw Mistake(description: "Unexpected \"\(next)\"") }
    rest.removeFirst(digits.count)
    return value
  }

  private mutating func peek() -> Character? {
    rest = rest.drop(while: \.isWhitespace)
    return rest.first
  }

  private mutating func take(among characters: String) -> Character? {
    guard let next = peek(), characters.contains(next) else { return nil }
    rest.removeFirst()
    return next
  }
}
