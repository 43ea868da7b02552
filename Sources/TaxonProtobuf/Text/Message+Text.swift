// SPDX-License-Identifier: Apache-2.0

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

  /// Writes the description. What `print` and string interpolation use, also where a field is called `description`.
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
