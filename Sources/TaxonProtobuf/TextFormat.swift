// SPDX-License-Identifier: Apache-2.0

import CProtobufC

extension Message {
  /// The full name and the fields in protobuf's text format, in one line.
  public var description: String {
    let text = text(isIndented: false)
    return text.isEmpty ? "\(Self.descriptor.name) {}" : "\(Self.descriptor.name) { \(text) }"
  }

  /// The fields in protobuf's text format, a line each, indented.
  ///
  /// Fields that are not set, or have no presence and their default value, are left out; unknown fields come last, by
  /// number.
  public var textFormat: String { text(isIndented: true) }

  /// Writes the description. `print` and string interpolation use this, also where a field is called `description`.
  public func write(to target: inout some TextOutputStream) {
    let text = text(isIndented: false)
    target.write(text.isEmpty ? "\(Self.descriptor.name) {}" : "\(Self.descriptor.name) { \(text) }")
  }

  private func text(isIndented: Bool) -> String {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    var writer = MessageWriter(root: Self.descriptor, arena)
    write(to: &writer)
    var printer = TextPrinter(isIndented: isIndented)
    printer.print(writer.base, Self.descriptor)
    return printer.text
  }
}

/// Prints a lowered message in protobuf's text format, from its table alone.
struct TextPrinter {
  let isIndented: Bool
  private(set) var text = ""
  private var depth = 0

  init(isIndented: Bool) {
    self.isIndented = isIndented
  }

  /// Prints the fields in the order of their numbers, then the unknown ones.
  mutating func print(_ message: UnsafeRawPointer, _ descriptor: MessageDescriptor) {
    for index in 0..<descriptor.count {
      let field = descriptor.layout[index]
      let name = descriptor.name(ofFieldAt: index)
      let slot = message + field.offset
      let quantifier = slot.load(fromByteOffset: Slot.quantifier, as: Int.self)
      switch field.label {
      case .map: printEntries(slot, quantifier, name, field)
      case .repeated, .packed:
        let elements = slot.load(as: UnsafeRawPointer?.self)
        for position in 0..<quantifier {
          // The pointer is set when there are elements.
          printValue(elements! + position * field.kind.stride, name, field, descriptor)
        }
      case .oneof where quantifier != Int(field.number): break
      default: if quantifier != 0 { printValue(slot, name, field, descriptor) }
      }
    }
    let unknown = message.assumingMemoryBound(to: ProtobufCMessage.self).pointee
    if unknown.n_unknown_fields > 0 {
      UnknownFields(lifting: message).bytes.withUnsafeBytes { printUnknown($0, 0..<$0.count) }
    }
  }

  private mutating func printValue(
    _ slot: UnsafeRawPointer, _ name: String, _ field: FieldLayout, _ descriptor: MessageDescriptor
  ) {
    guard field.kind == .message else {
      return line("\(name): \(scalar(slot, field.kind, descriptor.fields[field.position].type.enumType))")
    }
    // Set above; the descriptor was linked when the message was lowered.
    let inner = slot.load(as: UnsafeRawPointer.self)
    printBlock(name) { $0.print(inner, field.message!.takeUnretainedValue()) }
  }

  /// The entries of a map, in the order of their text: a dictionary has no order.
  private mutating func printEntries(_ slot: UnsafeRawPointer, _ count: Int, _ name: String, _ field: FieldLayout) {
    guard count > 0 else { return }
    let entries = slot.load(as: UnsafePointer<UnsafeRawPointer>.self)
    var texts: [String] = []
    for position in 0..<count {
      var printer = TextPrinter(isIndented: isIndented)
      printer.depth = depth
      // The descriptor was linked when the message was lowered.
      printer.printBlock(name) { $0.print(entries[position], field.message!.takeUnretainedValue()) }
      texts.append(printer.text)
    }
    if !isIndented, !text.isEmpty { text += " " }
    text += texts.sorted().joined(separator: isIndented ? "" : " ")
  }

  private mutating func printBlock(_ name: String, _ body: (inout TextPrinter) -> Void) {
    line("\(name) {")
    let start = text.utf8.count
    depth += 1
    body(&self)
    depth -= 1
    if text.utf8.count == start, !isIndented { text += "}" } else { line("}") }
  }

  private mutating func line(_ content: String) {
    if isIndented {
      text += String(repeating: "  ", count: depth) + content + "\n"
    } else {
      if !text.isEmpty { text += " " }
      text += content
    }
  }

  private func scalar(_ slot: UnsafeRawPointer, _ kind: FieldKind, _ type: (any ProtobufEnum.Type)?) -> String {
    switch kind {
    case .double: return "\(slot.load(as: Double.self))"
    case .float: return "\(slot.load(as: Float.self))"
    case .int32, .sint32, .sfixed32: return "\(slot.load(as: Int32.self))"
    case .int64, .sint64, .sfixed64: return "\(slot.load(as: Int64.self))"
    case .uint32, .fixed32: return "\(slot.load(as: UInt32.self))"
    case .uint64, .fixed64: return "\(slot.load(as: UInt64.self))"
    case .bool: return slot.load(as: UInt64.self) == 0 ? "false" : "true"
    case .enum:
      let number = slot.load(as: Int32.self)
      return type?.descriptor.name(of: number) ?? "\(number)"
    case .string, .bytes:
      let bytes = UnsafeRawBufferPointer(
        start: slot.load(fromByteOffset: 8, as: UnsafeRawPointer?.self), count: slot.load(as: Int.self))
      return Self.quoted(bytes, keepsUTF8: kind == .string)
    case .message: return ""
    }
  }

  private mutating func printUnknown(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
    var cursor = WireCursor(bytes, in: range)
    // The stored bytes come from well-formed messages.
    while let entry = try? cursor.next(nestingLeft: .max) {
      let value = UnsafeRawBufferPointer(rebasing: bytes[entry.value])
      switch entry.wireType {
      case .varint:
        var number = WireCursor(value, in: 0..<value.count)
        line("\(entry.number): \((try? number.varint()) ?? 0)")
      case .fixed32: line("\(entry.number): 0x\(Self.hex(UInt64(value.loadUnaligned(as: UInt32.self)), digits: 8))")
      case .fixed64: line("\(entry.number): 0x\(Self.hex(value.loadUnaligned(as: UInt64.self), digits: 16))")
      case .lengthDelimited: line("\(entry.number): \(Self.quoted(value, keepsUTF8: false))")
      case .startGroup: printBlock("\(entry.number)") { $0.printUnknown(bytes, entry.value) }
      case .endGroup: break
      }
    }
  }

  private static func hex(_ value: UInt64, digits: Int) -> String {
    let text = String(value.littleEndian, radix: 16)
    return String(repeating: "0", count: digits - text.count) + text
  }

  /// In double quotes, with C's escapes; three octal digits for other bytes.
  static func quoted(_ bytes: UnsafeRawBufferPointer, keepsUTF8: Bool) -> String {
    var output: [UInt8] = [UInt8(ascii: "\"")]
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\n"): output += Array("\\n".utf8)
      case UInt8(ascii: "\r"): output += Array("\\r".utf8)
      case UInt8(ascii: "\t"): output += Array("\\t".utf8)
      case UInt8(ascii: "\""): output += Array("\\\"".utf8)
      case UInt8(ascii: "\\"): output += Array("\\\\".utf8)
      case 0x20..<0x7F: output.append(byte)
      case 0x80... where keepsUTF8: output.append(byte)
      default: output += [UInt8(ascii: "\\"), 48 + byte >> 6, 48 + byte >> 3 & 7, 48 + byte & 7]
      }
    }
    output.append(UInt8(ascii: "\""))
    return String(decoding: output, as: UTF8.self)
  }
}
