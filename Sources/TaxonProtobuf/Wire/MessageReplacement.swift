// SPDX-License-Identifier: Apache-2.0

extension MessageDescriptor {
  /// An encoded message of this type in which other bytes stand for each message that is directly inside of it, values of maps included.
  /// Everything else stays as it is. Of bytes that are no message, what is left before the fault.
  ///
  /// - Parameter replacement: What stands for a message of that type with these bytes.
  package func replacingMessages(
    in bytes: [UInt8], by replacement: (any Message.Type, [UInt8]) -> [UInt8]
  ) -> [UInt8] {
    bytes.withUnsafeBytes { bytes in
      var output: [UInt8] = []
      output.reserveCapacity(bytes.count)
      var cursor = WireCursor(bytes, in: 0..<bytes.count)
      while let entry = try? cursor.next(nestingLeft: 100) {
        output += replaced(entry, bytes, replacement) ?? Array(bytes[entry.range])
      }
      return output
    }
  }

  /// The field with its new value, tags included; nil when it holds no message.
  private func replaced(
    _ entry: WireCursor.Entry, _ bytes: UnsafeRawBufferPointer,
    _ replacement: (any Message.Type, [UInt8]) -> [UInt8]
  ) -> [UInt8]? {
    guard let index = index(of: entry.number), layout[index].kind == .message, entry.wireType == layout[index].wireType
    else { return nil }
    let field = fields[layout[index].position]
    let value = Array(bytes[entry.value])
    if let entry = entries[layout[index].position] {
      return field.encoded(payload: entry.replacingMessages(in: value, by: replacement))
    }
    return field.type.messageType.map { field.encoded(payload: replacement($0, value)) }
  }
}
