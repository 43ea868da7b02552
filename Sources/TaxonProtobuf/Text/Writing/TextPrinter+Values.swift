// SPDX-License-Identifier: Apache-2.0

extension TextPrinter {
  mutating func scalar(_ slot: UnsafeRawPointer, _ kind: FieldKind, _ type: EnumDescriptor?) {
    switch kind {
    case .double: floating(slot.load(as: Double.self))
    case .float: floating(slot.load(as: Float.self))
    case .int32, .sint32, .sfixed32: buffer.decimal(Int64(slot.load(as: Int32.self)))
    case .int64, .sint64, .sfixed64: buffer.decimal(slot.load(as: Int64.self))
    case .uint32, .fixed32: buffer.decimal(UInt64(slot.load(as: UInt32.self)))
    case .uint64, .fixed64: buffer.decimal(slot.load(as: UInt64.self))
    case .bool: buffer.raw(slot.load(as: UInt64.self) == 0 ? "false" : "true")
    case .enum:
      let number = slot.load(as: Int32.self)
      if !options.printsEnumsAsNumbers, let name = type?.name(of: number) {
        text(name)
      } else {
        buffer.decimal(Int64(number))
      }
    case .string, .bytes: quoted(slot.loadBytes(), keepsUTF8: kind == .string)
    case .message: break
    }
  }

  /// The shortest text that reads as the same number; `inf`, `-inf` and `nan`.
  private mutating func floating(_ value: some BinaryFloatingPoint & CustomStringConvertible) {
    text(value.isNaN ? "nan" : value.description)
  }

  /// In double quotes, with C's escapes; three octal digits for other bytes.
  private mutating func quoted(_ bytes: UnsafeBufferPointer<UInt8>, keepsUTF8: Bool) {
    buffer.byte(UInt8(ascii: "\""))
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\n"): buffer.raw("\\n")
      case UInt8(ascii: "\r"): buffer.raw("\\r")
      case UInt8(ascii: "\t"): buffer.raw("\\t")
      case UInt8(ascii: "\""): buffer.raw("\\\"")
      case UInt8(ascii: "\\"): buffer.raw("\\\\")
      case 0x20..<0x7F: buffer.byte(byte)
      case 0x80... where keepsUTF8: buffer.byte(byte)
      default:
        buffer.byte(UInt8(ascii: "\\"))
        buffer.byte(48 + byte >> 6)
        buffer.byte(48 + byte >> 3 & 7)
        buffer.byte(48 + byte & 7)
      }
    }
    buffer.byte(UInt8(ascii: "\""))
  }

  // MARK: Unknown fields

  /// How deep bytes are taken for messages.
  static let greatestGuess = 10

  /// Fields by their numbers, in the order of the wire: fixed-width values in hexadecimal digits, bytes that are a message as
  /// one, other bytes as a string.
  mutating func unknownFields(
    _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, without printed: Set<UInt32> = [], nestingLeft: Int
  ) {
    var cursor = WireCursor(bytes, in: range)
    // The stored bytes come from well-formed messages.
    while let entry = try? cursor.next(nestingLeft: .max) {
      if printed.contains(entry.number) { continue }
      let value = UnsafeRawBufferPointer(rebasing: bytes[entry.value])
      switch entry.wireType {
      case .varint:
        var number = WireCursor(value, in: 0..<value.count)
        line(entry.number) { $0.buffer.decimal((try? number.varint()) ?? 0) }
      case .fixed32:
        line(entry.number) { $0.hex(UInt64(UInt32(littleEndian: value.loadUnaligned(as: UInt32.self))), 8) }
      case .fixed64: line(entry.number) { $0.hex(UInt64(littleEndian: value.loadUnaligned(as: UInt64.self)), 16) }
      case .lengthDelimited where nestingLeft > 0 && Self.isMessage(value):
        block("\(entry.number)") { $0.unknownFields(bytes, entry.value, nestingLeft: nestingLeft - 1) }
      case .lengthDelimited:
        line(entry.number) { $0.quoted(value.assumingMemoryBound(to: UInt8.self), keepsUTF8: false) }
      case .startGroup: block("\(entry.number)") { $0.unknownFields(bytes, entry.value, nestingLeft: nestingLeft) }
      case .endGroup: break
      }
    }
  }

  /// Whether bytes can be a message with a field.
  private static func isMessage(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard !bytes.isEmpty else { return false }
    var cursor = WireCursor(bytes, in: 0..<bytes.count)
    do {
      while try cursor.next(nestingLeft: greatestGuess) != nil {}
      return true
    } catch {
      return false
    }
  }

  private mutating func line(_ number: UInt32, _ value: (inout TextPrinter) -> Void) {
    beginLine()
    buffer.decimal(UInt64(number))
    buffer.raw(": ")
    value(&self)
    endLine()
  }

  private mutating func hex(_ value: UInt64, _ digits: Int) {
    buffer.raw("0x")
    let text = String(value, radix: 16)
    for _ in text.utf8.count..<digits { buffer.byte(UInt8(ascii: "0")) }
    self.text(text)
  }
}
