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
  private let read: @Sendable (MessageReader) throws(MessageDecodingError) -> Value
  private let write: @Sendable (inout MessageWriter, Value) -> Void

  private init(
    _ name: String, _ number: UInt32, _ type: FieldType, absent: Value,
    read: @escaping @Sendable (MessageReader) throws(MessageDecodingError) -> Value,
    write: @escaping @Sendable (inout MessageWriter, Value) -> Void
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
      name, number, type, absent: nil, read: { reader throws(MessageDecodingError) in try reader.optional(0) },
      write: { $0.optional(0, $1) })
  }

  /// A repeated extension.
  public init<Element: FieldValue>(_ name: String, _ number: UInt32, _ type: FieldType) where Value == [Element] {
    self.init(
      name, number, type, absent: [], read: { reader throws(MessageDecodingError) in try reader.array(0) },
      write: { $0.array(0, $1) })
  }

  /// A singular extension with a default value of its own.
  public init(_ name: String, _ number: UInt32, _ type: FieldType, default value: Value) where Value: FieldValue {
    self.init(
      name, number, type, absent: value,
      read: { reader throws(MessageDecodingError) in try reader.optional(0) ?? value }, write: { $0.optional(0, $1) })
  }

  /// Whether a message has it.
  public func isSet(in message: Base) -> Bool { message.unknownFields.fields(number) != nil }

  /// Its value in a message; the default value, nil or an empty array when it is not set.
  ///
  /// Throws when the bytes are not a value of its type, such as a message without its required fields. The byte in the
  /// error counts from the first one of the extension.
  public func value(in message: Base) throws(MessageDecodingError) -> Value {
    guard let bytes = message.unknownFields.fields(number) else { return absent }
    return try bytes.withUnsafeBufferPointer { (bytes) throws(MessageDecodingError) in
      try descriptor.decode(UnsafeRawBufferPointer(bytes), options: DecodingOptions(), read)
    }
  }

  /// Sets it; nil and an empty array remove it. Encoding the message throws when the value is too large.
  public func set(_ value: Value, in message: inout Base) {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    var writer = MessageWriter(root: descriptor, arena)
    write(&writer, value)
    message.unknownFields.replace(number, with: MessageEncoder(part: writer).bytes())
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

  /// Decodes the extension's own bytes, tags included, and puts the value into a message of one field.
  func relower(_ bytes: [UInt8], _ arena: MessageArena) throws(MessageDecodingError) -> UnsafeRawPointer
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

  func relower(_ bytes: [UInt8], _ arena: MessageArena) throws(MessageDecodingError) -> UnsafeRawPointer {
    let value = try bytes.withUnsafeBufferPointer { (bytes) throws(MessageDecodingError) in
      try descriptor.decode(UnsafeRawBufferPointer(bytes), options: DecodingOptions(), read)
    }
    var writer = MessageWriter(root: descriptor, arena)
    write(&writer, value)
    return UnsafeRawPointer(writer.base)
  }
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
