// SPDX-License-Identifier: Apache-2.0

/// Rewrites an input that `WireCheck` has passed into one of the same meaning that protobuf-c reads correctly.
///
/// - A singular message in several parts becomes one with all their fields, as protobuf merges messages.
/// - A delimited message becomes a length-prefixed one.
/// - Unknown groups, values of another wire type than their field's, and numbers that a closed enum does not have become `kept`
///   fields, which carry the original bytes. So does the entry of a map with such a number.
struct WireRewriter {
  /// Field number of what is kept unchanged. No schema has it: it is one past the greatest number.
  static let kept: UInt32 = 1 << 29

  let bytes: UnsafeRawBufferPointer
  /// Where groups end, as `WireCheck` has found them.
  var groups: GroupEnds?

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
      // `WireCheck` has passed the input.
      while let entry = try? cursor.next(nestingLeft: .max, groups: groups) {
        entries.append((entry, descriptor.index(of: entry.number)))
      }
    }
    var pending = gatherParts(entries, descriptor)
    for (entry, index) in entries {
      guard let index, accepts(entry, descriptor, descriptor.layout[index]) else {
        keep(entry, isKnown: index != nil, into: &output)
        continue
      }
      let field = descriptor.layout[index]
      if field.kind == .enum, entry.wireType == .lengthDelimited {
        rewritePacked(entry, descriptor, field, into: &output)
        continue
      }
      guard field.kind == .message else {
        output.append(contentsOf: bytes[entry.range])
        continue
      }
      var parts = [entry.value]
      if !field.isRepeated {
        // The last part brings the others along; a part that another member of the oneof replaced is dropped.
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
      guard !field.isRepeated, field.kind == .message || field.label == .oneof, accepts(entry, descriptor, field) else {
        continue
      }
      if held[field.slot] != field.number { parts[field.slot] = nil }
      held[field.slot] = field.number
      if field.kind == .message { parts[field.slot, default: []].append(entry.value) }
    }
    return parts
  }

  /// Packed numbers of an enum: those that it does not have are kept one by one.
  private func rewritePacked(
    _ entry: WireCursor.Entry, _ descriptor: MessageDescriptor, _ field: FieldLayout, into output: inout [UInt8]
  ) {
    var cursor = WireCursor(bytes, in: entry.value)
    var held: [UInt8] = []
    var unknown: [UInt8] = []
    while cursor.offset < cursor.end {
      let start = cursor.offset
      // `WireCheck` has passed the input.
      guard let number = try? cursor.varint() else { return }
      if descriptor.holds(number, field) {
        held += bytes[start..<cursor.offset]
      } else {
        unknown.removeAll(keepingCapacity: true)
        unknown.append(varint: UInt64(field.number) << 3 | UInt64(WireType.varint.rawValue))
        unknown += bytes[start..<cursor.offset]
        append(number: Self.kept, unknown, into: &output)
      }
    }
    append(number: field.number, held, into: &output)
  }

  /// Whether a field can hold what an entry has.
  func accepts(_ entry: WireCursor.Entry, _ descriptor: MessageDescriptor, _ field: FieldLayout) -> Bool {
    guard entry.wireType == field.wireType else {
      return field.isRepeated && field.kind.isPackable && entry.wireType == .lengthDelimited
    }
    if field.kind == .enum { return descriptor.holds(bytes, entry.value, field) }
    guard field.label == .map, let inner = descriptor.entries[field.position] else { return true }
    // Of several values of a map's entry the last one counts.
    let value = inner.layout[1]
    guard value.kind == .enum else { return true }
    var cursor = WireCursor(bytes, in: entry.value)
    var isHeld = true
    while let part = try? cursor.next(nestingLeft: .max) {
      if part.number == value.number, part.wireType == .varint { isHeld = inner.holds(bytes, part.value, value) }
    }
    return isHeld
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
