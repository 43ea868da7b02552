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
        guard entry.wireType == .lengthDelimited, let inner = replaced(entry, bytes, replacement) else {
          output += bytes[entry.range]
          continue
        }
        output.append(varint: UInt64(entry.number) << 3 | UInt64(WireType.lengthDelimited.rawValue))
        output.append(varint: UInt64(inner.count))
        output += inner
      }
      return output
    }
  }

  /// The new value of a field; nil when it holds no message.
  private func replaced(
    _ entry: WireCursor.Entry, _ bytes: UnsafeRawBufferPointer,
    _ replacement: (any Message.Type, [UInt8]) -> [UInt8]
  ) -> [UInt8]? {
    guard let index = index(of: entry.number), layout[index].kind == .message else { return nil }
    let position = layout[index].position
    let value = Array(bytes[entry.value])
    if let entry = entries[position] { return entry.replacingMessages(in: value, by: replacement) }
    return fields[position].type.messageType.map { replacement($0, value) }
  }
}
