// SPDX-License-Identifier: Apache-2.0

// Types of a schema that is read at run time: tables without Swift.

/// An extension of a schema that is read at run time.
struct DynamicExtension: LowerableExtension {
  let name: String
  let number: UInt32
  let baseName: String
  let descriptor: MessageDescriptor
}

extension TypeRegistry {
  /// Adds an extension that is read at run time.
  ///
  /// - Parameters:
  ///   - name: The full name of the extension.
  ///   - message: The full name of the message that it extends.
  package mutating func insert(extension name: String, _ number: UInt32, _ type: FieldType, of message: String) {
    insert(
      DynamicExtension(
        name: name, number: number, baseName: message,
        descriptor: MessageDescriptor(message, [Field("[\(name)]", number, type)])))
  }
}

extension MessageDescriptor {
  /// Unpacks a message into the arena, and checks and mends what code with Swift's types does while it lifts: strings are
  /// UTF-8, required fields are there, numbers of closed enums have names, and of entries of a map with one key the last counts.
  func unpackWhole(
    _ bytes: UnsafeRawBufferPointer, _ arena: MessageArena, options: DecodingOptions = DecodingOptions()
  ) throws(MessageDecodingError) -> UnsafeRawPointer {
    link()
    guard bytes.count <= Int(Int32.max) else { throw MessageDecodingError(.tooLarge, messageName: name, offset: 0) }
    // As if a number of a closed enum had been found: this is the way on which everything is checked.
    let message = try unpackAgain(
      after: MessageDecodingError.unknownEnumValue, bytes, arena: arena, options: options)
    do {
      try complete(UnsafeMutableRawPointer(mutating: message), arena)
    } catch {
      throw locate(error, in: bytes, options: options)
    }
    return message
  }

  private func complete(_ message: UnsafeMutableRawPointer, _ arena: MessageArena) throws(MessageDecodingError) {
    try checkUnpacked(message, arena)
    for index in 0..<count {
      let field = layout[index]
      guard let inner = field.message?.takeUnretainedValue() else { continue }
      let slot = message + field.offset
      let quantifier = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
      guard field.label == .oneof ? quantifier == Int(field.number) : quantifier != 0 else { continue }
      guard field.isRepeated else {
        if let value = slot.load(as: UnsafeMutableRawPointer?.self) { try inner.complete(value, arena) }
        continue
      }
      let elements = slot.load(as: UnsafeMutablePointer<UnsafeMutableRawPointer>.self)
      var kept = quantifier
      if field.label == .map { kept = inner.keepLast(elements, quantifier, arena) }
      slot.storeBytes(of: kept, toByteOffset: Slot.quantifier, as: Int.self)
      for position in 0..<kept { try inner.complete(elements[position], arena) }
    }
  }

  /// Takes away the entries of a map whose key a later one has; returns how many are left. The order changes.
  private func keepLast(
    _ entries: UnsafeMutablePointer<UnsafeMutableRawPointer>, _ count: Int, _ arena: MessageArena
  ) -> Int {
    let key = layout[0]
    var keys = JSONKeySet(arena, isText: key.kind == .string)
    var kept: [UnsafeMutableRawPointer] = []
    for position in (0..<count).reversed() where keys.insert(entries[position] + key.offset) {
      kept.append(entries[position])
    }
    for (position, entry) in kept.enumerated() { entries[position] = entry }
    return kept.count
  }
}
