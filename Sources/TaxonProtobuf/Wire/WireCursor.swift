// SPDX-License-Identifier: Apache-2.0

/// Goes through the fields of one message in its binary format.
struct WireCursor {
  /// A field as it lies in the input.
  struct Entry {
    let number: UInt32
    let wireType: WireType
    /// Tag and value.
    let range: Range<Int>
    /// The payload of a length-delimited value, the inside of a group, the value otherwise.
    let value: Range<Int>
  }

  let bytes: UnsafeRawBufferPointer
  var offset: Int
  let end: Int

  init(_ bytes: UnsafeRawBufferPointer, in range: Range<Int>) {
    self.bytes = bytes
    offset = range.lowerBound
    end = range.upperBound
  }

  static let greatestFieldNumber: UInt64 = 1 << 29 - 1

  /// The next field; nil at the end. Groups are read to their end, `nestingLeft` of them inside each other; `groups` has the
  /// ends of those that have been read before.
  mutating func next(nestingLeft: Int, groups: GroupEnds? = nil) throws(WireFault) -> Entry? {
    guard offset < end else { return nil }
    let start = offset
    let (number, wireType) = try tag()
    let value = try value(of: number, wireType, nestingLeft: nestingLeft, start: start, groups)
    return Entry(number: number, wireType: wireType, range: start..<offset, value: value)
  }

  private mutating func tag() throws(WireFault) -> (UInt32, WireType) {
    let start = offset
    let tag = try varint(longest: 5)
    guard (1...Self.greatestFieldNumber).contains(tag >> 3) else {
      throw WireFault(reason: .invalidFieldNumber(tag >> 3), offset: start)
    }
    guard let wireType = WireType(rawValue: UInt8(tag & 7)) else {
      throw WireFault(reason: .invalidWireType(Int(tag & 7)), offset: start)
    }
    return (UInt32(tag >> 3), wireType)
  }

  private mutating func value(
    of number: UInt32, _ wireType: WireType, nestingLeft: Int, start: Int, _ groups: GroupEnds?
  ) throws(WireFault) -> Range<Int> {
    let valueStart = offset
    switch wireType {
    case .varint: _ = try varint()
    case .fixed32: try skip(4)
    case .fixed64: try skip(8)
    case .lengthDelimited:
      let length = try varint(longest: 5)
      // Over 2 GiB is a fault only when the bytes are missing: an extension that is too large to be encoded has them.
      guard length <= UInt64(end - offset) else {
        let isTooLarge = length > UInt64(Int32.max)
        throw WireFault(reason: isTooLarge ? .lengthTooLarge : .lengthPastEnd(length), offset: valueStart)
      }
      offset += Int(length)
      return (offset - Int(length))..<offset
    case .startGroup:
      return try group(number, nestingLeft: nestingLeft, start: start, groups)
    case .endGroup:
      throw WireFault(reason: .unmatchedEndGroup(number), offset: start)
    }
    return valueStart..<offset
  }

  private mutating func group(
    _ number: UInt32, nestingLeft: Int, start: Int, _ groups: GroupEnds?
  ) throws(WireFault) -> Range<Int> {
    guard nestingLeft > 0 else { throw WireFault(reason: .nestingTooDeep(limit: 0), offset: start) }
    let inside = offset
    if let known = groups?.end(ofGroupAt: inside) { offset = known }
    while offset < end {
      let fieldStart = offset
      let (inner, wireType) = try tag()
      if wireType == .endGroup, inner == number {
        groups?.note(inside..<fieldStart)
        return inside..<fieldStart
      }
      _ = try value(of: inner, wireType, nestingLeft: nestingLeft - 1, start: fieldStart, groups)
    }
    throw WireFault(reason: .unterminatedGroup(number), offset: start)
  }

  /// A varint; bits beyond 64 are dropped.
  mutating func varint(longest: Int = 10) throws(WireFault) -> UInt64 {
    let start = offset
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while offset < end {
      guard offset - start < longest else { throw WireFault(reason: .varintTooLong, offset: start) }
      let byte = bytes[offset]
      offset += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return result }
      shift += 7
    }
    throw WireFault(reason: .truncated, offset: start)
  }

  private mutating func skip(_ count: Int) throws(WireFault) {
    guard count <= end - offset else { throw WireFault(reason: .truncated, offset: offset) }
    offset += count
  }
}

/// Where groups end. To find the end of one takes going through all that is in it: of groups inside each other, each would be gone
/// through once for every one around it.
final class GroupEnds {
  /// Smaller ones are gone through again, so that the notes take no more memory than the input.
  private static let smallest = 64
  private var ends: [Int: Int] = [:]

  /// The offset of the tag that ends the group whose inside begins at `start`; nil where it is not known.
  func end(ofGroupAt start: Int) -> Int? { ends[start] }

  /// Notes the inside of a group.
  func note(_ inside: Range<Int>) {
    if inside.count >= Self.smallest { ends[inside.lowerBound] = inside.upperBound }
  }
}

/// A fault in bytes, before the message they belong to is known.
struct WireFault: Error {
  let reason: MessageDecodingError.Reason
  let offset: Int
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
