// SPDX-License-Identifier: Apache-2.0

extension Message {
  /// The full name and the fields in protobuf's text format, in one line, with unknown fields by number.
  public var description: String {
    var text = ""
    write(to: &text)
    return text
  }

  /// Writes the description. `print` and string interpolation use this, also where a field is called `description`.
  public func write(to target: inout some TextOutputStream) {
    let arena = MessageArena.take()
    defer { arena.giveBack() }
    let text = StructTable.withLowered(self, arena) { base in
      var printer = TextPrinter(
        TextFormatEncodingOptions(printsInOneLine: true, printsUnknownFields: true), arena)
      return printer.text(of: base, Self.descriptor)
    }
    target.write(text.isEmpty ? "\(Self.descriptor.name) {}" : "\(Self.descriptor.name) { \(text) }")
  }
}
