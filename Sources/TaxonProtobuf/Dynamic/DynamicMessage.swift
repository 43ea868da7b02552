// SPDX-License-Identifier: Apache-2.0

/// A message of a type that is known by its table alone: kept in the binary format, read and written in all three.
package struct DynamicMessage: Sendable {
  /// The type.
  package let descriptor: MessageDescriptor
  /// The message in the binary format.
  package let bytes: [UInt8]

  /// Checks a message in the binary format.
  ///
  /// - Throws: When the bytes are not a message of this type.
  package init(_ descriptor: MessageDescriptor, decoding bytes: [UInt8]) throws(MessageDecodingError) {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    _ = try bytes.withUnsafeBufferPointer { (bytes) throws(MessageDecodingError) in
      try descriptor.unpackWhole(UnsafeRawBufferPointer(bytes), arena)
    }
    self.descriptor = descriptor
    self.bytes = bytes
  }

  /// Reads a message from JSON.
  ///
  /// - Throws: When the text is not a JSON form of this type.
  package init(
    _ descriptor: MessageDescriptor, json text: [UInt8], options: JSONDecodingOptions
  ) throws(JSONDecodingError) {
    bytes = try text.withUnsafeBufferPointer { (text) throws(JSONDecodingError) in
      try descriptor.encoded(json: text, field: nil, options: options)
    }
    self.descriptor = descriptor
  }

  /// Reads a message in the text format.
  ///
  /// - Throws: When the text is not a message of this type.
  package init(
    _ descriptor: MessageDescriptor, textFormat text: [UInt8], options: TextFormatDecodingOptions
  ) throws(TextFormatDecodingError) {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    bytes = try text.withUnsafeBufferPointer { (text) throws(TextFormatDecodingError) in
      let message = try descriptor.parseText(text, arena: arena, options: options)
      do {
        return try arena.packed(UnsafeMutableRawPointer(mutating: message)).map(Array.init) ?? []
      } catch {
        throw TextFormatDecodingError(
          .tooLarge, messageName: descriptor.name, fieldName: nil, path: "", offset: 0, in: text)
      }
    }
    self.descriptor = descriptor
  }

  /// The message as JSON, without white space.
  ///
  /// - Throws: As `Message.jsonString` does.
  package func jsonString(options: JSONEncodingOptions) throws(JSONEncodingError) -> String {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    guard let message = unpacked(arena) else { return "{}" }
    var printer = JSONPrinter(options: options, arena: arena)
    defer { printer.buffer.free() }
    do throws(JSONFault) {
      try printer.message(message, descriptor.json)
    } catch {
      throw printer.error
    }
    return String(decoding: printer.buffer.bytes, as: UTF8.self)
  }

  /// The message in the text format.
  package func textFormatString(options: TextFormatEncodingOptions) -> String {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    guard let message = unpacked(arena) else { return "" }
    var printer = TextPrinter(options, arena)
    return printer.text(of: message, descriptor)
  }

  /// The message in protobuf-c's form; there, since the bytes have been checked.
  private func unpacked(_ arena: MessageArena) -> UnsafeRawPointer? {
    bytes.withUnsafeBytes { bytes in try? descriptor.unpackWhole(bytes, arena) }
  }
}
