// SPDX-License-Identifier: Apache-2.0

/// Rewrites an input that `WireCheck` has passed into one of the same meaning that protobuf-c reads as it should.
///
/// - A singular message in several parts becomes one of all their fields, which is what protobuf says of merging.
/// - Groups, and values of another wire type than their field's, become `kept` fields, which carry the original bytes.
struct WireRewriter {
  /// Field number of what is to be kept as it is. No schema has it: it is one past the greatest number.
  static let kept: UInt32 = 1 << 29

  let bytes: UnsafeRawBufferPointer

  /// The whole input rewritten.
  func rewrite(_ descriptor: MessageDescriptor) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count + 16)
    rewrite([0..<bytes.count], descriptor, into: &output)
    return output
  }

  /// Rewrites one message, whose parts lie in several places of the input.
  private func rewrite(_ parts: [Range<Int>], _ descriptor: MessageDescriptor, into output: inout [UInt8]) {
    var entries: [(WireCursor.Entry, index: Int?)] = []
    for part in parts {
      var cursor = WireCursor(bytes, in: part)
      // The check before has gone this way without a fault.
      while let entry = try? cursor.next(nestingLeft: .max) {
        entries.append((entry, descriptor.index(of: entry.number)))
      }
    }
    var pending = gatherParts(entries, descriptor)
    for (entry, index) in entries {
      guard let index, let field = Optional(descriptor.layout[index]), field.accepts(entry.wireType) else {
        keep(entry, isKnown: index != nil, into: &output)
        continue
      }
      guard field.kind == .message else {
        output.append(contentsOf: bytes[entry.range])
        continue
      }
      var parts = [entry.value]
      if !field.isRepeated {
        // The last part brings the others along; a part that another member of the oneof replaced goes.
        guard let gathered = pending[field.slot], gathered.last == entry.value else { continue }
        parts = gathered
        pending[field.slot] = nil
      }
      var inner: [UInt8] = []
      // Linked before any input is looked at.
      rewrite(parts, field.message!.takeUnretainedValue(), into: &inner)
      append(number: field.number, inner, into: &output)
    }
  }

  /// The parts of each singular message, by slot, that make up its value in the end.
  private func gatherParts(
    _ entries: [(WireCursor.Entry, index: Int?)], _ descriptor: MessageDescriptor
  ) -> [Int: [Range<Int>]] {
    var held: [Int: UInt32] = [:]
    var parts: [Int: [Range<Int>]] = [:]
    for (entry, index) in entries {
      guard let index else { continue }
      let field = descriptor.layout[index]
      guard !field.isRepeated, field.accepts(entry.wireType), field.kind == .message || field.label == .oneof else {
        continue
      }
      if held[field.slot] != field.number { parts[field.slot] = nil }
      held[field.slot] = field.number
      if field.kind == .message { parts[field.slot, default: []].append(entry.value) }
    }
    return parts
  }

  private func keep(_ entry: WireCursor.Entry, isKnown: Bool, into output: inout [UInt8]) {
    if isKnown || entry.wireType == .startGroup {
      append(number: Self.kept, bytes[entry.range], into: &output)
    } else {
      output.append(contentsOf: bytes[entry.range])
    }
  }

  private func append(number: UInt32, _ payload: some Collection<UInt8>, into output: inout [UInt8]) {
    output.append(varint: UInt64(number) << 3 | UInt64(WireType.lengthDelimited.rawValue))
    output.append(varint: UInt64(payload.count))
    output.append(contentsOf: payload)
  }
}

extension FieldLayout {
  /// Whether a value with this wire type is one of this field.
  fileprivate func accepts(_ wireType: WireType) -> Bool {
    wireType == kind.wireType || isRepeated && kind.isPackable && wireType == .lengthDelimited
  }
}

extension [UInt8] {
  mutating func append(varint value: UInt64) {
    var value = value
    while value >= 0x80 {
      append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    append(UInt8(value))
  }
}
