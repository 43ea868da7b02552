// SPDX-License-Identifier: Apache-2.0

/// A protobuf message: a struct with a table of its fields.
///
/// The generator writes the conformances. Everything about a message (formats, equality) works from the table, which tells
/// how the struct lies in memory; so nobody else writes one.
public protocol Message: FieldValue, CustomStringConvertible, TextOutputStreamable {
  /// The full name and the fields.
  static var descriptor: MessageDescriptor { get }

  /// Fields of the wire that this type does not know, in their order. They are written back.
  var unknownFields: UnknownFields { get set }

  /// Initialises an array of messages; `fill` initialises the memory of its elements and counts them.
  static func makeArray(
    _ count: Int, at target: UnsafeMutableRawPointer, _ fill: (UnsafeMutableRawPointer, inout Int) -> Void)
}

extension Message {
  /// Decodes a message.
  ///
  /// Throws with the reason, the message, the field and the byte when `bytes` is not a message of this type.
  @inlinable
  public init(
    decoding bytes: UnsafeRawBufferPointer, options: DecodingOptions = DecodingOptions()
  ) throws(MessageDecodingError) {
    self = try withUnsafeTemporaryAllocation(of: Self.self, capacity: 1) {
      (result) throws(MessageDecodingError) -> Self in
      // A buffer of one has a base address.
      try Self.descriptor.decode(bytes, to: result.baseAddress!, MemoryLayout<Self>.size, options: options)
      return result.baseAddress!.move()
    }
  }

  /// Decodes a message.
  ///
  /// Throws with the reason, the message, the field and the byte when `bytes` is not a message of this type.
  @inlinable
  public init(
    decoding bytes: [UInt8], options: DecodingOptions = DecodingOptions()
  ) throws(MessageDecodingError) {
    self = try bytes.withUnsafeBufferPointer { (bytes) throws(MessageDecodingError) in
      try Self(decoding: UnsafeRawBufferPointer(bytes), options: options)
    }
  }

  /// Decodes a message from any collection of bytes; without a copy where the collection is contiguous.
  ///
  /// Throws with the reason, the message, the field and the byte when `bytes` is not a message of this type.
  @inlinable
  public init(
    decoding bytes: some Collection<UInt8>, options: DecodingOptions = DecodingOptions()
  ) throws(MessageDecodingError) {
    let result = bytes.withContiguousStorageIfAvailable { bytes -> Result<Self, MessageDecodingError> in
      do throws(MessageDecodingError) {
        return .success(try Self(decoding: UnsafeRawBufferPointer(bytes), options: options))
      } catch {
        return .failure(error)
      }
    }
    if let result {
      self = try result.get()
    } else {
      self = try Self(decoding: Array(bytes), options: options)
    }
  }

  /// The message in the binary format.
  ///
  /// Throws when it is larger than 2 GiB.
  @inlinable
  public func encoded() throws(MessageEncodingError) -> [UInt8] {
    try withUnsafePointer(to: self) { (message) throws(MessageEncodingError) in
      try Self.descriptor.encoded(message, MemoryLayout<Self>.size)
    }
  }

  /// Gives `body` the size of the encoded message and the means to write it, once, into memory of the caller's.
  ///
  /// Throws when the message is larger than 2 GiB; `body` is not called then.
  public func withEncoder<Result>(
    _ body: (borrowing MessageEncoder) -> Result
  ) throws(MessageEncodingError) -> Result {
    let table = Self.descriptor.structTable
    table.requireType(Self.self)
    return try withUnsafePointer(to: self) { (memory) throws(MessageEncodingError) in
      try table.withEncoder(memory, body)
    }
  }
}

/// How a message is decoded.
public struct DecodingOptions: Hashable, Sendable {
  /// How many messages may be nested inside the outermost one. Deeper input is refused before it is unpacked.
  public var nestingLimit: Int

  /// The usual options: a nesting limit of 100.
  @inlinable
  public init(nestingLimit: Int = 100) {
    self.nestingLimit = nestingLimit
  }
}
