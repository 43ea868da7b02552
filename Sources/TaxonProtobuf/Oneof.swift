// SPDX-License-Identifier: Apache-2.0

/// The members of a oneof: an enum with a case for each. The generator writes the conformances.
public protocol Oneof: Hashable, Sendable {
  /// Takes the member that is set; nil where none is.
  init?(reading reader: OneofReader) throws(MessageDecodingError)

  /// Puts the member into a message.
  func write(to writer: OneofWriter)
}

/// The member of a oneof that an unpacked message has.
public struct OneofReader {
  /// The number of the member in the schema.
  public let number: UInt32
  let slot: UnsafeRawPointer
  let arena: MessageArena

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
