// SPDX-License-Identifier: Apache-2.0
import CProtobufC

/// Prints a lowered message, or an unpacked one, in protobuf's text format, from its table alone.
struct TextPrinter {
  let options: TextFormatEncodingOptions
  let arena: MessageArena
  /// The text so far; only while `text(of:_:)` runs.
  var buffer = JSONBuffer(arena: nil)
  private var depth = 0
  /// How many more messages inside of an Any may be nested in each other.
  private var anyNestingLeft = 100

  init(_ options: TextFormatEncodingOptions, _ arena: MessageArena) {
    self.options = options
    self.arena = arena
  }

  /// The fields of a message. To be called once.
  mutating func text(of message: UnsafeRawPointer, _ descriptor: MessageDescriptor) -> String {
    defer { buffer.free() }
    fields(message, descriptor)
    return String(decoding: buffer.bytes, as: UTF8.self)
  }

  /// The fields in the order of their numbers, then the extensions, then the unknown ones.
  private mutating func fields(_ message: UnsafeRawPointer, _ descriptor: MessageDescriptor) {
    if descriptor.isAny, expandAny(message, descriptor) { return }
    for index in 0..<descriptor.count {
      let field = descriptor.layout[index]
      let slot = message + field.offset
      let quantifier = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
      guard quantifier != 0 else { continue }
      switch field.label {
      case .map:
        // The descriptor was linked when the message was lowered, and there are entries.
        let entry = field.message!.takeUnretainedValue()
        let entries = UnsafeBufferPointer(start: slot.load(as: UnsafePointer<UnsafeRawPointer>.self), count: quantifier)
        let order = MapKeyOrder(entry.layout[0])
        for entry in entries.sorted(by: order.isBefore) { value(of: field, descriptor, message: entry) }
      case .repeated, .packed:
        // The pointer is set when there are elements.
        let elements = slot.load(as: UnsafeRawPointer.self)
        for position in 0..<quantifier { value(elements + position * field.kind.stride, field, descriptor) }
      case .oneof where quantifier != Int(field.number): break
      // The wire may have had a default value.
      case .implicit where field.kind.isDefault(slot): break
      default: value(slot, field, descriptor)
      }
    }
    let unknown = message.assumingMemoryBound(to: ProtobufCMessage.self).pointee
    if unknown.n_unknown_fields > 0 { unknownFields(UnknownFields(lifting: message), descriptor) }
  }

  private mutating func value(_ slot: UnsafeRawPointer, _ field: FieldLayout, _ descriptor: MessageDescriptor) {
    guard field.kind == .message else {
      beginLine()
      text(descriptor.fields[field.position].textName)
      buffer.raw(": ")
      scalar(slot, field.kind, descriptor.fields[field.position].type.enumeration)
      return endLine()
    }
    // nil in an entry of a map that came without its value. The descriptor was linked when the message was lowered.
    let inner = field.message!.takeUnretainedValue()
    value(
      of: field, descriptor, message: slot.load(as: UnsafeRawPointer?.self) ?? UnsafeRawPointer(inner.emptyInstance))
  }

  private mutating func value(of field: FieldLayout, _ descriptor: MessageDescriptor, message: UnsafeRawPointer) {
    // As above.
    let inner = field.message!.takeUnretainedValue()
    block(descriptor.fields[field.position].textName) { $0.fields(message, inner) }
  }

  // MARK: Extensions and Any

  private mutating func unknownFields(_ unknown: UnknownFields, _ descriptor: MessageDescriptor) {
    var printed: Set<UInt32> = []
    for field in options.registry.extensions(of: descriptor.name) {
      // What is not a value of its type stays an unknown field.
      guard let bytes = unknown.fields(field.number), let inside = try? field.relower(bytes, arena) else { continue }
      printed.insert(field.number)
      fields(inside, field.descriptor)
    }
    guard options.printsUnknownFields else { return }
    unknown.bytes.withUnsafeBytes { unknownFields($0, 0..<$0.count, without: printed, nestingLeft: Self.greatestGuess) }
  }

  /// Prints an Any by what is in it; false when the registry does not have its type, or it does not hold what it says.
  private mutating func expandAny(_ message: UnsafeRawPointer, _ descriptor: MessageDescriptor) -> Bool {
    let url = (message + descriptor.layout[0].offset).loadBytes()
    guard anyNestingLeft > 0, TypeURL.isValid(url), let name = Google_Protobuf_Any.messageName(in: url),
      let content = options.registry.content(named: name)
    else { return false }
    let bytes = (message + descriptor.layout[1].offset).loadBytes()
    guard let inside = try? content.relower(UnsafeRawBufferPointer(bytes), arena) else { return false }
    anyNestingLeft -= 1
    block("[\(String(decoding: url, as: UTF8.self))]") { $0.fields(inside, content.descriptor) }
    anyNestingLeft += 1
    return true
  }

  // MARK: Lines

  mutating func block(_ name: String, _ body: (inout TextPrinter) -> Void) {
    beginLine()
    text(name)
    buffer.raw(" {")
    endLine()
    let start = buffer.count
    depth += 1
    body(&self)
    depth -= 1
    if !options.printsInOneLine || buffer.count > start { beginLine() }
    buffer.byte(UInt8(ascii: "}"))
    endLine()
  }

  mutating func beginLine() {
    if options.printsInOneLine {
      if buffer.count > 0 { buffer.byte(UInt8(ascii: " ")) }
    } else {
      for _ in 0..<depth { buffer.raw("  ") }
    }
  }

  mutating func endLine() {
    if !options.printsInOneLine { buffer.byte(UInt8(ascii: "\n")) }
  }

  mutating func text(_ text: String) { text.withContiguousUTF8 { buffer.raw($0) } }
}

extension MessageDescriptor {
  /// Whether this is `google.protobuf.Any`, with the expected fields.
  fileprivate var isAny: Bool {
    name == "google.protobuf.Any" && count == 2 && layout[0].number == 1 && layout[0].kind == .string
      && layout[1].number == 2 && layout[1].kind == .bytes
  }
}
