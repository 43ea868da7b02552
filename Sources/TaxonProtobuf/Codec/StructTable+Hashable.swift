// SPDX-License-Identifier: Apache-2.0

extension StructTable {
  /// Whether two structs have the same fields.
  func areEqual(_ one: UnsafeRawPointer, _ other: UnsafeRawPointer) -> Bool {
    for index in 0..<content.pointee.count {
      let property = content.pointee.properties + index
      let offset = property.pointee.offset
      if !Self.areEqual(one + offset, other + offset, property) { return false }
    }
    let offset = content.pointee.unknownFields
    return PlainEquality<UnknownFields>.areEqual(one + offset, other + offset)
  }

  private static func areEqual(
    _ one: UnsafeRawPointer, _ other: UnsafeRawPointer, _ property: UnsafeMutablePointer<StoredProperty>
  ) -> Bool {
    switch property.pointee.form {
    case .bits32 where !property.pointee.isFloat: one.load(as: UInt32.self) == other.load(as: UInt32.self)
    case .bits64 where !property.pointee.isFloat: one.load(as: UInt64.self) == other.load(as: UInt64.self)
    case .bool: one.load(as: Bool.self) == other.load(as: Bool.self)
    case .string: PlainEquality<String>.areEqual(one, other)
    // The table has it for this form.
    case .message: property.pointee.inner!.areEqual(one, other)
    case .optionalMessage:
      switch (property.pointee.access.isNil(one), property.pointee.access.isNil(other)) {
      case (true, true): true
      case (false, false): property.pointee.inner!.areEqual(one, other)
      default: false
      }
    default: property.pointee.access.areEqual(one, other)
    }
  }

  /// Feeds the fields of a struct to a hasher.
  func hash(_ memory: UnsafeRawPointer, into hasher: inout Hasher) {
    for index in 0..<content.pointee.count {
      let property = content.pointee.properties + index
      let source = memory + property.pointee.offset
      switch property.pointee.form {
      // The table has it for these forms.
      case .message: property.pointee.inner!.hash(source, into: &hasher)
      case .optionalMessage:
        let isNil = property.pointee.access.isNil(source)
        hasher.combine(isNil)
        if !isNil { property.pointee.inner!.hash(source, into: &hasher) }
      default: property.pointee.access.hash(source, into: &hasher)
      }
    }
    PlainEquality<UnknownFields>.hash(memory + content.pointee.unknownFields, into: &hasher)
  }
}

private enum PlainEquality<Value: Hashable> {
  @inline(__always)
  static func areEqual(_ one: UnsafeRawPointer, _ other: UnsafeRawPointer) -> Bool {
    one.assumingMemoryBound(to: Value.self).pointee == other.assumingMemoryBound(to: Value.self).pointee
  }

  static func hash(_ source: UnsafeRawPointer, into hasher: inout Hasher) {
    source.assumingMemoryBound(to: Value.self).pointee.hash(into: &hasher)
  }
}

extension Message {
  /// Whether both have the same fields, the unknown ones included.
  public static func == (one: Self, other: Self) -> Bool {
    let table = descriptor.structTable
    table.requireType(Self.self)
    return withUnsafePointer(to: one) { one in
      withUnsafePointer(to: other) { other in table.areEqual(one, other) }
    }
  }

  /// Hash of the fields, the unknown ones included.
  public func hash(into hasher: inout Hasher) {
    let table = Self.descriptor.structTable
    table.requireType(Self.self)
    withUnsafePointer(to: self) { table.hash($0, into: &hasher) }
  }
}
