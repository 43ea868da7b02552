// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// An enum of a schema.
///
/// An open one, as proto3 has it, keeps numbers that the code has no name for in a case of their own. A closed one, as
/// proto2 has it, has no such case: decoding leaves those numbers with the unknown fields of the message.
public protocol ProtobufEnum: FieldValue, CustomStringConvertible {
  /// The full name and the values.
  static var descriptor: EnumDescriptor { get }

  /// The value with this number; nil where a closed enum has none.
  init?(rawValue: Int32)

  /// The number on the wire.
  var rawValue: Int32 { get }
}

extension ProtobufEnum {
  /// The name in the schema, or the number where there is none.
  public var description: String { Self.descriptor.name(of: rawValue) ?? String(rawValue) }

  /// Equality by number.
  @inlinable
  public static func == (one: Self, other: Self) -> Bool { one.rawValue == other.rawValue }

  /// Hash by number.
  @inlinable
  public func hash(into hasher: inout Hasher) { hasher.combine(rawValue) }
}

extension ProtobufEnum {
  /// Four bytes.
  @inlinable public static var stride: Int { 4 }

  /// Takes a value out of memory that protobuf-c has filled. Throws for a number that a closed enum does not have: the
  /// message is then unpacked again, without the value (`MessageDescriptor.unpackAgain`).
  @inlinable
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> Self {
    guard let value = Self(rawValue: memory.load(as: Int32.self)) else {
      throw MessageDecodingError.unknownEnumValue
    }
    return value
  }

  /// Whether its number is zero.
  @inlinable public var isDefault: Bool { rawValue == 0 }

  /// Puts the value where protobuf-c will find it.
  @inlinable
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    memory.storeBytes(of: rawValue, as: Int32.self)
  }
}

/// An enum at run time: its full name, and its values in the order of the schema.
public final class EnumDescriptor: Sendable {
  /// The full name, such as `octollm.v1.TaskStatus`.
  public let name: String
  /// Names and numbers in the order of the schema, aliases included.
  public let values: [(name: String, number: Int32)]

  /// Whether it has only these numbers, as enums of proto2 do.
  public let isClosed: Bool

  private let names: [Int32: String]
  private let numbers: [String: Int32]
  /// The numbers of the cases in the order of their declaration, and their places by number.
  private let places: (numbers: [Int32], indices: [Int32: Int])
  /// The address of the table for JSON, once that is made.
  let jsonTable = Atomic<UInt>(0)

  /// An enum of the schema.
  public init(_ name: String, isClosed: Bool = false, _ values: KeyValuePairs<String, Int32>) {
    self.name = name
    self.isClosed = isClosed
    self.values = values.map { (name: $0.key, number: $0.value) }
    // The first of several names of one number is the one that is written.
    names = Dictionary(values.map { ($0.value, $0.key) }) { first, _ in first }
    numbers = Dictionary(values.map { ($0.key, $0.value) }) { first, _ in first }
    places = ([], [:])
  }

  /// An enum of the schema with many values, which the compiler takes long to compile otherwise: the names and numbers are
  /// in a text, a line each, and cases are found by their place in memory.
  ///
  /// - Parameters:
  ///   - first: The first case.
  ///   - last: The last one; what the compiler makes of both is compared with what is expected.
  public convenience init<Value: ProtobufEnum>(
    _ name: String, isClosed: Bool = false, from first: Value, to last: Value, _ text: String
  ) {
    let values = text.split(separator: "\n").map { line in
      let parts = line.split(separator: " ")
      // The generator writes a name and a number.
      return (name: String(parts[0]), number: Int32(parts[1])!)
    }
    self.init(name, isClosed: isClosed, values: values)
    let layout = CaseLayout<Value>(isClosed: isClosed)
    precondition(
      layout.index(of: first) == 0 && layout.index(of: last) == places.numbers.count - 1,
      "\(name): the cases do not lie in memory as they should")
  }

  /// An enum of a schema that is read at run time.
  package init(_ name: String, isClosed: Bool, values: [(name: String, number: Int32)]) {
    self.name = name
    self.isClosed = isClosed
    self.values = values
    names = Dictionary(values.map { ($0.number, $0.name) }) { first, _ in first }
    numbers = Dictionary(values.map { ($0.name, $0.number) }) { first, _ in first }
    var places: (numbers: [Int32], indices: [Int32: Int]) = ([], [:])
    for value in values where places.indices[value.number] == nil {
      places.indices[value.number] = places.numbers.count
      places.numbers.append(value.number)
    }
    self.places = places
  }

  /// The case with a number, of an enum whose values are in a text; nil where there is none.
  public func value<Value: ProtobufEnum>(_ number: Int32) -> Value? {
    places.indices[number].map { CaseLayout<Value>(isClosed: isClosed).value(at: $0) }
  }

  /// The number of a case, of an enum whose values are in a text; not of one that has no name.
  public func number<Value: ProtobufEnum>(of value: Value) -> Int32 {
    places.numbers[CaseLayout<Value>(isClosed: isClosed).index(of: value)]
  }

  /// The name of a number; its first one, where it has aliases.
  public func name(of number: Int32) -> String? { names[number] }

  /// The number of a name.
  public func number(of name: String) -> Int32? { numbers[name] }
}

/// How the cases of an enum lie in memory (docs/ABI/TypeLayout.rst of the Swift project): those without a payload are
/// numbered in the order of their declaration. Of an open enum, whose one payload is an Int32, that number stands in the
/// place of the payload, and a byte behind it tells the two apart.
private struct CaseLayout<Value: ProtobufEnum> {
  let isClosed: Bool

  func index(of value: Value) -> Int {
    withUnsafeBytes(of: value) { bytes in
      if !isClosed { return bytes.count == 5 && bytes[4] == 1 ? Int(bytes.loadUnaligned(as: UInt32.self)) : -1 }
      return bytes.count == 1 ? Int(bytes[0]) : Int(bytes.loadUnaligned(as: UInt16.self))
    }
  }

  /// `index` must be that of a case.
  func value(at index: Int) -> Value {
    withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { memory in
      let bytes = UnsafeMutableRawBufferPointer(memory)
      if !isClosed {
        bytes.storeBytes(of: UInt32(index), as: UInt32.self)
        bytes[4] = 1
      } else if MemoryLayout<Value>.size == 1 {
        bytes[0] = UInt8(index)
      } else {
        bytes.storeBytes(of: UInt16(index), as: UInt16.self)
      }
      // A buffer of one has a base address.
      return memory.baseAddress!.move()
    }
  }
}
