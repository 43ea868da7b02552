// SPDX-License-Identifier: Apache-2.0
import TaxonSchema

/// What a message stores: a field, or a oneof with its members.
enum StoredProperty {
  /// `index` is the position in the table.
  case field(SchemaField, index: Int)
  /// `index` is the position of the first member.
  case oneof(SchemaOneof, members: [SchemaField], index: Int)

  /// In the order of the schema; the members of a oneof stand together, where the first of them is.
  static func all(of message: SchemaMessage) -> [StoredProperty] {
    var result: [StoredProperty] = []
    var index = 0
    for field in message.fields {
      if let oneof = field.oneof {
        let members = oneof.fields
        guard members.first === field else { continue }
        result.append(.oneof(oneof, members: members, index: index))
        index += members.count
      } else {
        result.append(.field(field, index: index))
        index += 1
      }
    }
    return result
  }
}

/// Which fields are kept on the heap: those that are recursive, and messages that are too large to be stored in
/// another.
///
/// Swift stores structs inline, so that the sizes of nested messages add up. The compiler's time and memory grow with
/// that for every function that copies one: a chain of two hundred messages would take more than 20 GB.
struct Layout {
  /// The most values that a message may store inline, those of nested messages included.
  static let greatest = 64
  /// The most values of a message that is not worth an allocation of its own.
  static let small = 8

  private var large: Set<ObjectIdentifier> = []

  init(_ schema: Schema) {
    var sizes: [ObjectIdentifier: Int] = [:]
    for message in schema.allMessages { _ = add(message, &sizes) }
  }

  func isIndirect(_ field: SchemaField) -> Bool { field.isRecursive || large.contains(ObjectIdentifier(field)) }

  /// Adds the fields of a message; returns how many values it stores inline.
  private mutating func add(_ message: SchemaMessage, _ sizes: inout [ObjectIdentifier: Int]) -> Int {
    let id = ObjectIdentifier(message)
    if let size = sizes[id] { return size }
    // The unknown fields. What refers back to this message is recursive.
    sizes[id] = 1
    var inner: [Int] = []
    for field in message.fields { inner.append(field.messageByValue.map { add($0, &sizes) } ?? 1) }
    if inner.reduce(1, +) > Self.greatest {
      for (field, size) in zip(message.fields, inner) where size > Self.small { large.insert(ObjectIdentifier(field)) }
    }
    let size = zip(message.fields, inner).reduce(1) { $0 + (isIndirect($1.0) ? 1 : $1.1) }
    sizes[id] = size
    return size
  }
}

extension SchemaField {
  /// The message that the field would hold by value.
  fileprivate var messageByValue: SchemaMessage? {
    if isRecursive { return nil }
    switch (shape, type) {
    case (.repeated, _), (.map, _): return nil
    case (_, .message(let message)): return message
    default: return nil
    }
  }
}
