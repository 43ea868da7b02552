// SPDX-License-Identifier: Apache-2.0

// The wrappers of the well-known types say what they wrap without a label, and take literals.

extension Google_Protobuf_DoubleValue: ExpressibleByFloatLiteral {
  /// Wraps a value.
  public init(_ value: Double) { self.init(value: value) }

  /// Wraps a literal.
  public init(floatLiteral value: Double) { self.init(value: value) }
}

extension Google_Protobuf_FloatValue: ExpressibleByFloatLiteral {
  /// Wraps a value.
  public init(_ value: Float) { self.init(value: value) }

  /// Wraps a literal.
  public init(floatLiteral value: Float) { self.init(value: value) }
}

extension Google_Protobuf_Int64Value: ExpressibleByIntegerLiteral {
  /// Wraps a value.
  public init(_ value: Int64) { self.init(value: value) }

  /// Wraps a literal.
  public init(integerLiteral value: Int64) { self.init(value: value) }
}

extension Google_Protobuf_UInt64Value: ExpressibleByIntegerLiteral {
  /// Wraps a value.
  public init(_ value: UInt64) { self.init(value: value) }

  /// Wraps a literal.
  public init(integerLiteral value: UInt64) { self.init(value: value) }
}

extension Google_Protobuf_Int32Value: ExpressibleByIntegerLiteral {
  /// Wraps a value.
  public init(_ value: Int32) { self.init(value: value) }

  /// Wraps a literal.
  public init(integerLiteral value: Int32) { self.init(value: value) }
}

extension Google_Protobuf_UInt32Value: ExpressibleByIntegerLiteral {
  /// Wraps a value.
  public init(_ value: UInt32) { self.init(value: value) }

  /// Wraps a literal.
  public init(integerLiteral value: UInt32) { self.init(value: value) }
}

extension Google_Protobuf_BoolValue: ExpressibleByBooleanLiteral {
  /// Wraps a value.
  public init(_ value: Bool) { self.init(value: value) }

  /// Wraps a literal.
  public init(booleanLiteral value: Bool) { self.init(value: value) }
}

extension Google_Protobuf_StringValue: ExpressibleByStringLiteral {
  /// Wraps a value.
  public init(_ value: String) { self.init(value: value) }

  /// Wraps a literal.
  public init(stringLiteral value: String) { self.init(value: value) }
}

extension Google_Protobuf_BytesValue {
  /// Wraps a value.
  public init(_ value: [UInt8]) { self.init(value: value) }
}
