// SPDX-License-Identifier: Apache-2.0

/// Finds the fields that make a message contain itself by value. Arrays and dictionaries keep their elements
/// elsewhere, so only singular fields count.
enum Recursion {
  static func mark(_ schema: Schema, _ diagnostics: inout Diagnostics) {
    let messages = schema.allMessages
    let components = StronglyConnectedComponents(messages) { $0.containedMessages.map(\.message) }
    let required = StronglyConnectedComponents(messages) { $0.requiredMessages.map(\.message) }
    for message in messages {
      // A required field is stored by value: only an optional one breaks a cycle.
      for (field, target) in message.containedMessages {
        let components = field.shape == .required ? required : components
        field.isRecursive = components[message] == components[target]
        guard field.isRecursive, field.shape == .required, message.file.isGenerated else { continue }
        diagnostics.warning(
          field.place,
          "message \(message.fullName) contains itself through required fields alone, so none can be sent; "
            + "make the field optional")
      }
    }
  }
}

extension SchemaMessage {
  fileprivate var requiredMessages: [(field: SchemaField, message: SchemaMessage)] {
    containedMessages.filter { $0.field.shape == .required }
  }

  fileprivate var containedMessages: [(field: SchemaField, message: SchemaMessage)] {
    fields.compactMap { field in
      switch field.shape {
      case .repeated, .map: return nil
      default:
        guard case .message(let message) = field.type else { return nil }
        return (field, message)
      }
    }
  }
}

/// Tarjan's algorithm: two messages are in one component when each contains the other.
private struct StronglyConnectedComponents {
  private var component: [ObjectIdentifier: Int] = [:]
  private var index: [ObjectIdentifier: Int] = [:]
  private var lowest: [ObjectIdentifier: Int] = [:]
  private var stack: [SchemaMessage] = []
  private var count = 0
  private let contents: (SchemaMessage) -> [SchemaMessage]

  init(_ messages: [SchemaMessage], contents: @escaping (SchemaMessage) -> [SchemaMessage]) {
    self.contents = contents
    for message in messages where index[ObjectIdentifier(message)] == nil { visit(message) }
  }

  subscript(message: SchemaMessage) -> Int? { component[ObjectIdentifier(message)] }

  private mutating func visit(_ message: SchemaMessage) {
    let id = ObjectIdentifier(message)
    let own = index.count
    index[id] = own
    var low = own
    stack.append(message)
    for target in contents(message) {
      let targetID = ObjectIdentifier(target)
      if index[targetID] == nil {
        visit(target)
        low = min(low, lowest[targetID] ?? low)
      } else if component[targetID] == nil {
        low = min(low, index[targetID] ?? low)
      }
    }
    lowest[id] = low
    guard low == own else { return }
    while let last = stack.popLast() {
      component[ObjectIdentifier(last)] = count
      if last === message { break }
    }
    count += 1
  }
}
