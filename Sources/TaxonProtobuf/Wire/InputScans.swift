// SPDX-License-Identifier: Apache-2.0

/// Finds out how deep the messages of an input are nested, for types that can contain themselves.
struct DepthScan {
  let bytes: UnsafeRawBufferPointer
  let limit: Int

  /// Whether messages are nested deeper than the limit. True also for input that is malformed or has groups: it must
  /// be looked at more closely anyway.
  mutating func exceedsLimit(_ descriptor: MessageDescriptor) -> Bool {
    do {
      return try exceedsLimit(descriptor, 0..<bytes.count, depth: 0)
    } catch {
      return true
    }
  }

  private mutating func exceedsLimit(
    _ descriptor: MessageDescriptor, _ range: Range<Int>, depth: Int
  ) throws(WireFault) -> Bool {
    if depth > limit { return true }
    // What is left of the type's own depth fits: no need to look inside.
    if descriptor.greatestDepth <= limit - depth { return false }
    var cursor = WireCursor(bytes, in: range)
    while let entry = try cursor.next(nestingLeft: 0) {
      guard entry.wireType == .lengthDelimited, let index = descriptor.index(of: entry.number),
        let inner = descriptor.layout[index].message
      else { continue }
      if try exceedsLimit(inner.takeUnretainedValue(), entry.value, depth: depth + 1) { return true }
    }
    return false
  }
}

/// Looks for numbers that a closed enum does not have, in singular fields of an input.
///
/// protobuf-c replaces them when a later number comes, out of sight of who reads the message then; but they belong to
/// the unknown fields.
struct ClosedEnumScan {
  let bytes: UnsafeRawBufferPointer

  /// Whether there is one. True also for input that is malformed or has groups: it must be looked at more closely
  /// anyway.
  func findsUnknownNumber(_ descriptor: MessageDescriptor) -> Bool {
    do {
      return try findsUnknownNumber(descriptor, 0..<bytes.count)
    } catch {
      return true
    }
  }

  private func findsUnknownNumber(_ descriptor: MessageDescriptor, _ range: Range<Int>) throws(WireFault) -> Bool {
    var cursor = WireCursor(bytes, in: range)
    while let entry = try cursor.next(nestingLeft: 0) {
      guard let index = descriptor.index(of: entry.number) else { continue }
      let field = descriptor.layout[index]
      switch (field.kind, entry.wireType) {
      case (.enum, .varint):
        if !field.isRepeated, !descriptor.holds(bytes, entry.value, field) { return true }
      case (.message, .lengthDelimited):
        // Linked before any input is looked at.
        let inner = field.message!.takeUnretainedValue()
        if inner.hasClosedEnums, try findsUnknownNumber(inner, entry.value) { return true }
      default: break
      }
    }
    return false
  }
}
