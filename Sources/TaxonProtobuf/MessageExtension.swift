// SPDX-License-Identifier: Apache-2.0

/// An extension: a field of `Base` that another schema declares.
///
/// Its bytes stay with the unknown fields of the message, whether the code knows the extension or not, and are decoded
/// on access. Generated code gives every extension a property in an extension of `Base`, and the description under the
/// same name in the type: `options.example` and `Options.example`.
///
/// `Value` is an Optional, an array, or what the field holds where the schema has a default value for it.
public struct MessageExtension<Base: Message, Value: Sendable>: AnyMessageExtension {
  /// The full name, such as `example.v1.note`.
  public let name: String
  /// The number on the wire.
  public let number: UInt32

  /// A message of one field.
  let descriptor: MessageDescriptor
  private let absent: Value
  private let read: @Sendable (UnsafeRawPointer, MessageArena) throws(MessageDecodingError) -> Value
  private let write: @Sendable (Value, UnsafeMutableRawPointer, MessageArena) -> Void

  private init(
    _ name: String, _ number: UInt32, _ type: FieldType, absent: Value,
    read: @escaping @Sendable (UnsafeRawPointer, MessageArena) throws(MessageDecodingError) -> Value,
    write: @escaping @Sendable (Value, UnsafeMutableRawPointer, MessageArena) -> Void
  ) {
    self.name = name
    self.number = number
    self.absent = absent
    self.read = read
    self.write = write
    descriptor = MessageDescriptor(Base.descriptor.name, [Field("[\(name)]", number, type)])
  }

  /// A singular extension.
  public init<Element: FieldValue>(_ name: String, _ number: UInt32, _ type: FieldType) where Value == Element? {
    self.init(
      name, number, type, absent: nil,
      read: { slot, arena throws(MessageDecodingError) in Slot.isSet(slot) ? try Element.lift(slot, arena) : nil },
      write: { value, slot, arena in value?.lowerAsSet(to: slot, arena) })
  }

  /// A repeated extension.
  public init<Element: FieldValue>(_ name: String, _ number: UInt32, _ type: FieldType) where Value == [Element] {
    self.init(
      name, number, type, absent: [],
      read: { slot, arena throws(MessageDecodingError) in try MessageReader.array(slot, arena) },
      write: { values, slot, arena in MessageWriter.array(values, to: slot, arena) })
  }

  /// A singular extension with a default value of its own.
  public init(_ name: String, _ number: UInt32, _ type: FieldType, default value: Value) where Value: FieldValue {
    self.init(
      name, number, type, absent: value,
      read: { slot, arena throws(MessageDecodingError) in Slot.isSet(slot) ? try Value.lift(slot, arena) : value },
      write: { value, slot, arena in value.lowerAsSet(to: slot, arena) })
  }

  /// Whether a message has it.
  public func isSet(in message: Base) -> Bool { message.unknownFields.fields(number) != nil }

  /// Its value in a message; the default value, nil or an empty array when it is not set.
  ///
  /// Throws when the bytes are not a value of its type, such as a message without its required fields. The byte in the
  /// error counts from the first one of the extension.
  public func value(in message: Base) throws(MessageDecodingError) -> Value {
    guard let bytes = message.unknownFields.fields(number) else { return absent }
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    return try bytes.withUnsafeBufferPointer { (bytes) throws(MessageDecodingError) in
      try descriptor.decode(UnsafeRawBufferPointer(bytes), arena, options: DecodingOptions()) {
        (root) throws(MessageDecodingError) in try read(root + Slot.offset(0), arena)
      }
    }
  }

  /// Sets it; nil and an empty array remove it. Encoding the message throws when the value is too large.
  public func set(_ value: Value, in message: inout Base) {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    descriptor.link()
    let base = descriptor.makeInstance(in: arena)
    // The value stays for as long as its lowered form refers to it.
    withExtendedLifetime(value) {
      write(value, base + Slot.offset(0), arena)
      message.unknownFields.replace(number, with: MessageEncoder(part: base, arena).bytes())
    }
  }

  /// Removes it.
  public func clear(in message: inout Base) { message.unknownFields.replace(number, with: []) }
}

/// An extension of any message and type, for a `TypeRegistry`.
public protocol AnyMessageExtension: Sendable {
  /// The full name, such as `example.v1.note`.
  var name: String { get }
  /// The number on the wire.
  var number: UInt32 { get }
}

/// What JSON needs of extensions. Only `MessageExtension` conforms.
protocol LowerableExtension: AnyMessageExtension {
  /// Full name of the message that is extended.
  var baseName: String { get }
  /// A message of one field.
  var descriptor: MessageDescriptor { get }
}

extension LowerableExtension {
  /// Unpacks the extension's own bytes, tags included, as a message of one field.
  func relower(_ bytes: [UInt8], _ arena: MessageArena) throws(MessageDecodingError) -> UnsafeRawPointer {
    try bytes.withUnsafeBufferPointer { (bytes) throws(MessageDecodingError) in
      try descriptor.unpackWhole(UnsafeRawBufferPointer(bytes), arena)
    }
  }
}

extension FieldValue {
  fileprivate func lowerAsSet(to slot: UnsafeMutableRawPointer, _ arena: MessageArena) {
    lower(to: slot, arena)
    Slot.set(slot, 1)
  }
}

extension TypeRegistry {
  /// Decodes the extensions of a message that the registry has. They are kept as bytes, and decoding the message does not look
  /// into them.
  ///
  /// Throws for the first whose bytes are not a value of its type. The byte in the error counts from the first one of
  /// the extension.
  public func checkExtensions<Base: Message>(of message: Base) throws(MessageDecodingError) {
    for field in extensions(of: Base.descriptor.name) {
      guard let bytes = message.unknownFields.fields(field.number) else { continue }
      let arena = MessageArena.take()
      defer { arena.giveBack() }
      _ = try field.relower(bytes, arena)
    }
  }
}

extension MessageExtension: LowerableExtension {
  var baseName: String { Base.descriptor.name }
}

extension Message {
  /// An extension of this message. One whose bytes are not a value of its type reads as not set;
  /// `MessageExtension.value(in:)` says what is wrong with it.
  public subscript<Value>(_ field: MessageExtension<Self, Value>) -> Value {
    get { field.valueOrAbsent(in: self) }
    set { field.set(newValue, in: &self) }
  }
}

extension MessageExtension {
  fileprivate func valueOrAbsent(in message: Base) -> Value { (try? value(in: message)) ?? absent }
}
