// SPDX-License-Identifier: Apache-2.0

/// A line in a message's table: one field.
public struct Field: Sendable {
  /// The name in the schema.
  public let name: String
  /// The number on the wire, 1 to 2^29 − 1.
  public let number: UInt32
  /// What the field holds.
  public let type: FieldType
  /// The name in JSON, where the schema sets one by hand.
  public let json: String?

  /// A field of the schema.
  public init(_ name: String, _ number: UInt32, _ type: FieldType, json: String? = nil) {
    self.name = name
    self.number = number
    self.type = type
    self.json = json
  }
}
