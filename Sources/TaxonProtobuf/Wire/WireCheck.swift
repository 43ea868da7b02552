// SPDX-License-Identifier: Apache-2.0

/// Checks an input as strictly as protobuf requires: finds faults, and what protobuf-c would read wrongly.
struct WireCheck {
  let bytes: UnsafeRawBufferPointer
  let options: DecodingOptions
  /// Where groups end that the check has gone through.
  private(set) var groups: GroupEnds?
  /// Whether the input has groups, values of another wire type than their field's, numbers that a closed enum does not
  /// have, or a singular message in parts.
  private(set) var needsRewriting = false
  /// The largest number of fields of a message.
  private(set) var widest = 0
  /// Required fields that a message does not have, unless another part of it does.
  private var missing: [MessageDecodingError] = []

  init(bytes: UnsafeRawBufferPointer, options: DecodingOptions) {
    self.bytes = bytes
    self.options = options
  }

  /// Throws at the first fault.
  mutating func check(_ descriptor: MessageDescriptor) throws(MessageDecodingError) {
    if descriptor.hasGroups { groups = GroupEnds() }
    try check(descriptor, 0..<bytes.count, depth: 0)
  }

  private mutating func check(
    _ descriptor: MessageDescriptor, _ range: Range<Int>, depth: Int
  ) throws(MessageDecodingError) {
    guard depth <= options.nestingLimit else {
      throw MessageDecodingError(
        .nestingTooDeep(limit: options.nestingLimit), messageName: descriptor.name, offset: range.lowerBound)
    }
    var cursor = WireCursor(bytes, in: range)
    // The number of the message that each slot holds so far.
    var held: [UInt32] = []
    var count = 0
    defer { widest = max(widest, count) }
    while let entry = try next(&cursor, descriptor, depth: depth) {
      count += 1
      guard let index = descriptor.index(of: entry.number) else {
        if entry.wireType == .startGroup { needsRewriting = true }
        continue
      }
      let field = descriptor.layout[index]
      if field.isRepeated, field.kind.isPackable, entry.wireType == .lengthDelimited {
        try checkPacked(descriptor, field, entry.value)
        continue
      }
      guard entry.wireType == field.wireType else {
        needsRewriting = true
        continue
      }
      if field.isDelimited { needsRewriting = true }
      switch field.kind {
      case .enum where !descriptor.holds(bytes, entry.value, field):
        needsRewriting = true
        continue
      case .string: try checkText(descriptor, field, entry.value)
      // Linked before any input is looked at.
      case .message: try check(field.message!.takeUnretainedValue(), entry.value, depth: depth + 1)
      default: break
      }
      guard !field.isRepeated, field.kind == .message || [.oneof, .required].contains(field.label) else { continue }
      if held.isEmpty { held = Array(repeating: 0, count: descriptor.count) }
      if field.kind == .message, held[field.slot] == field.number { needsRewriting = true }
      held[field.slot] = field.number
    }
    noteMissing(descriptor, held, range)
  }

  private mutating func noteMissing(_ descriptor: MessageDescriptor, _ held: [UInt32], _ range: Range<Int>) {
    for index in descriptor.required where held.isEmpty || held[descriptor.layout[index].slot] == 0 {
      let name = descriptor.name(ofFieldAt: index)
      // The first place of each is enough.
      if missing.contains(where: { $0.messageName == descriptor.name && $0.fieldName == name }) { continue }
      missing.append(
        MessageDecodingError(
          .missingRequiredField, messageName: descriptor.name, fieldName: name, offset: range.lowerBound))
    }
    // An entry without a value has an empty one.
    guard descriptor.isMapEntry, held.isEmpty, let value = descriptor.layout[1].message?.takeUnretainedValue() else {
      return
    }
    noteMissing(value, [], range)
  }

  private func next(
    _ cursor: inout WireCursor, _ descriptor: MessageDescriptor, depth: Int
  ) throws(MessageDecodingError) -> WireCursor.Entry? {
    let start = cursor.offset
    do {
      return try cursor.next(nestingLeft: options.nestingLimit - depth, groups: groups)
    } catch {
      var reason = error.reason
      if case .nestingTooDeep = reason { reason = .nestingTooDeep(limit: options.nestingLimit) }
      let name = fieldName(at: start, end: cursor.end, descriptor)
      throw MessageDecodingError(reason, messageName: descriptor.name, fieldName: name, offset: error.offset)
    }
  }

  /// The name of the field whose tag is at `start`, if the tag is whole and known.
  private func fieldName(at start: Int, end: Int, _ descriptor: MessageDescriptor) -> String? {
    var cursor = WireCursor(bytes, in: start..<end)
    guard let tag = try? cursor.varint(longest: 5), tag >> 3 <= WireCursor.greatestFieldNumber else { return nil }
    return descriptor.index(of: UInt32(tag >> 3)).map { descriptor.name(ofFieldAt: $0) }
  }

  private func checkText(
    _ descriptor: MessageDescriptor, _ field: FieldLayout, _ range: Range<Int>
  ) throws(MessageDecodingError) {
    let text = UnsafeRawBufferPointer(rebasing: bytes[range]).assumingMemoryBound(to: UInt8.self)
    guard let fault = String.firstFault(in: text) else { return }
    throw MessageDecodingError(
      .invalidUTF8, messageName: descriptor.name, fieldName: descriptor.fields[field.position].name,
      offset: range.lowerBound + fault)
  }

  private mutating func checkPacked(
    _ descriptor: MessageDescriptor, _ field: FieldLayout, _ range: Range<Int>
  ) throws(MessageDecodingError) {
    let name = descriptor.fields[field.position].name
    let size = field.kind.wireType == .fixed32 ? 4 : field.kind.wireType == .fixed64 ? 8 : 1
    guard range.count.isMultiple(of: size) else {
      throw MessageDecodingError(
        .invalidPackedLength(range.count, elementSize: size), messageName: descriptor.name, fieldName: name,
        offset: range.lowerBound)
    }
    guard field.kind.wireType == .varint else { return }
    var cursor = WireCursor(bytes, in: range)
    do {
      while cursor.offset < cursor.end {
        let value = try cursor.varint()
        if !descriptor.holds(value, field) { needsRewriting = true }
      }
    } catch {
      throw MessageDecodingError(
        error.reason, messageName: descriptor.name, fieldName: name, offset: error.offset)
    }
  }

  /// The same error with its place, where the check has found it.
  func located(_ error: MessageDecodingError) -> MessageDecodingError {
    guard error.reason == .missingRequiredField else { return error }
    return missing.first { $0.messageName == error.messageName && $0.fieldName == error.fieldName } ?? error
  }
}

extension MessageDescriptor {
  /// Whether a field can hold a number: one of a closed enum must have a name.
  func holds(_ number: UInt64, _ field: FieldLayout) -> Bool {
    guard field.kind == .enum, let type = fields[field.position].type.enumeration, type.isClosed else {
      return true
    }
    // As everywhere in protobuf, the upper bits do not count.
    return type.name(of: Int32(truncatingIfNeeded: number)) != nil
  }

  /// Whether a field can hold the varint at `range`, which must be valid.
  func holds(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ field: FieldLayout) -> Bool {
    var cursor = WireCursor(bytes, in: range)
    return holds((try? cursor.varint()) ?? 0, field)
  }

  /// The name in the schema of the field at an index of `layout`.
  func name(ofFieldAt index: Int) -> String { fields[layout[index].position].name }
}

/// Checks how deep the messages of an input are nested, for types that can contain themselves.
struct DepthScan {
  let bytes: UnsafeRawBufferPointer
  let limit: Int

  /// Whether messages are nested deeper than the limit. True also for input that is malformed or has groups: it needs
  /// the full check anyway.
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
    // The type's own depth fits into the rest: no need to look inside.
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
/// protobuf-c drops such a number when a later one replaces it, but it belongs to the unknown fields.
struct ClosedEnumScan {
  let bytes: UnsafeRawBufferPointer

  /// Whether there is one. True also for input that is malformed or has groups: it needs the full check anyway.
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
