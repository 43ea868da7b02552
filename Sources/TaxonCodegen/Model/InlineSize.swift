// SPDX-License-Identifier: Apache-2.0

/// Decides which messages inside others are kept on the heap because of their size.
///
/// Swift keeps a struct in a struct by value, so that what a message takes adds up over all the messages in it. The
/// compiler's time and memory grow with that for every function that copies one: a chain of two hundred messages would
/// take it more than 20 GB.
enum InlineSize {
  /// Values that a message may come to, those of the messages inside it counted in.
  static let greatest = 64
  /// Values of a message that is not worth an allocation of its own.
  static let small = 8

  static func mark(_ schema: Schema) {
    var sizes: [ObjectIdentifier: Int] = [:]
    for message in schema.allMessages { _ = mark(message, &sizes) }
  }

  /// Marks the fields of a message; returns how many values it comes to.
  private static func mark(_ message: SchemaMessage, _ sizes: inout [ObjectIdentifier: Int]) -> Int {
    let id = ObjectIdentifier(message)
    if let size = sizes[id] { return size }
    // The unknown fields. What refers back to this message is on the heap already (`Recursion`).
    sizes[id] = 1
    let inner = message.fields.map { field in field.containedMessage.map { mark($0, &sizes) } ?? 1 }
    if inner.reduce(1, +) > greatest {
      for (field, size) in zip(message.fields, inner) where size > small { field.isIndirect = true }
    }
    let size = zip(message.fields, inner).reduce(1) { $0 + ($1.0.isIndirect ? 1 : $1.1) }
    sizes[id] = size
    return size
  }
}

extension SchemaField {
  /// The message that the field holds by value.
  fileprivate var containedMessage: SchemaMessage? {
    if isIndirect { return nil }
    switch (shape, type) {
    case (.repeated, _), (.map, _): return nil
    case (_, .message(let message)): return message
    default: return nil
    }
  }
}
