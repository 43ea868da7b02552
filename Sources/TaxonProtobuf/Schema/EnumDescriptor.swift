// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What is known of an enum at run time: its full name, and its values in the order of the schema.
public final class EnumDescriptor: Sendable {
  /// The full name, such as `octollm.v1.TaskStatus`.
  public let name: String
  /// Names and numbers in the order of the schema, aliases included.
  public let values: [(name: String, number: Int32)]

  /// Whether it holds no numbers but those, as enums of proto2.
  public let isClosed: Bool

  private let names: [Int32: String]
  private let numbers: [String: Int32]
  /// The address of what JSON needs to know, once it has been asked for.
  let jsonTable = Atomic<UInt>(0)

  /// An enum of the schema.
  public init(_ name: String, isClosed: Bool = false, _ values: KeyValuePairs<String, Int32>) {
    self.name = name
    self.isClosed = isClosed
    self.values = values.map { (name: $0.key, number: $0.value) }
    // The first of several names of one number is the one that is written.
    names = Dictionary(values.map { ($0.value, $0.key) }) { first, _ in first }
    numbers = Dictionary(values.map { ($0.key, $0.value) }) { first, _ in first }
  }

  /// The name of a number; its first one, where it has aliases.
  public func name(of number: Int32) -> String? { names[number] }

  /// The number of a name.
  public func number(of name: String) -> Int32? { numbers[name] }
}
