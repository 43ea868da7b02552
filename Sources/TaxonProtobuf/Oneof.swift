// SPDX-License-Identifier: Apache-2.0

/// The members of a oneof: an enum with a case for each. The generator writes the conformances.
public protocol Oneof: Hashable, Sendable {
  /// Takes the member that is set; nil where none is.
  init?(reading reader: OneofReader) throws(MessageDecodingError)

  /// Puts the member into a message.
  func write(to writer: OneofWriter)

  /// Initialises memory with the member that is set, as an Optional.
  static func lift(_ reader: OneofReader, to target: UnsafeMutableRawPointer) throws(MessageDecodingError)
}

extension Oneof {
  /// Initialises memory with the member that is set, as an Optional.
  @inlinable
  public static func lift(_ reader: OneofReader, to target: UnsafeMutableRawPointer) throws(MessageDecodingError) {
    target.initializeMemory(as: Self?.self, to: reader.number == 0 ? nil : try Self(reading: reader))
  }
}

/// The member of a oneof that an unpacked message has.
public struct OneofReader {
  /// The number of the member in the schema.
  public let number: UInt32
  let slot: UnsafeRawPointer
  let arena: MessageArena

  init(_ slot: UnsafeRawPointer, _ arena: MessageArena) {
    number = slot.load(fromByteOffset: Slot.quantifier, as: UInt32.self)
    self.slot = slot
    self.arena = arena
  }

  /// The value of the member, whose type must be that of the schema.
  public func value<Value: FieldValue>() throws(MessageDecodingError) -> Value { try Value.lift(slot, arena) }
}

/// The place of a oneof in a message that is to be packed.
public struct OneofWriter {
  let slot: UnsafeMutableRawPointer
  let arena: MessageArena

  /// Puts the member with this number there.
  public func value<Value: FieldValue>(_ number: UInt32, _ value: Value) {
    value.lower(to: slot, arena)
    Slot.set(slot, Int(number))
  }
}

/// What a struct stores beside the fields of its message, and beside the unknown ones: not on the wire, and no part of
/// equality.
public protocol MessageContext: Sendable {
  /// What a message has that was just decoded.
  init()
}
