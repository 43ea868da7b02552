// SPDX-License-Identifier: Apache-2.0

// JSON-like values are written as literals: `["name": "Ada", "age": 36, "tags": ["a", nil]]`.

extension Google_Protobuf_Value: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// JSON's null.
  public init(nilLiteral: ()) { self.init(kind: .nullValue(.nullValue)) }

  /// A truth value.
  public init(booleanLiteral value: Bool) { self.init(kind: .boolValue(value)) }

  /// A number; all numbers here are Doubles.
  public init(integerLiteral value: Int) { self.init(kind: .numberValue(Double(value))) }

  /// A number.
  public init(floatLiteral value: Double) { self.init(kind: .numberValue(value)) }

  /// A string.
  public init(stringLiteral value: String) { self.init(kind: .stringValue(value)) }

  /// A list.
  public init(arrayLiteral elements: Google_Protobuf_Value...) {
    self.init(kind: .listValue(Google_Protobuf_ListValue(values: elements)))
  }

  /// An object; of equal keys the last one counts.
  public init(dictionaryLiteral elements: (String, Google_Protobuf_Value)...) {
    self.init(kind: .structValue(Google_Protobuf_Struct(fields: Dictionary(elements) { $1 })))
  }
}

extension Google_Protobuf_Struct: ExpressibleByDictionaryLiteral {
  /// An object; of equal keys the last one counts.
  public init(dictionaryLiteral elements: (String, Google_Protobuf_Value)...) {
    self.init(fields: Dictionary(elements) { $1 })
  }
}

extension Google_Protobuf_ListValue: ExpressibleByArrayLiteral {
  /// A list.
  public init(arrayLiteral elements: Google_Protobuf_Value...) { self.init(values: elements) }
}

// JSON-like values are read like dictionaries and arrays: `value["user"]?["tags"]?[0]?.string`.

extension Google_Protobuf_Value {
  /// A string.
  public init(_ value: String) { self.init(kind: .stringValue(value)) }

  /// A number.
  public init(_ value: Double) { self.init(kind: .numberValue(value)) }

  /// A truth value.
  public init(_ value: Bool) { self.init(kind: .boolValue(value)) }

  /// An object.
  public init(_ value: [String: Google_Protobuf_Value]) {
    self.init(kind: .structValue(Google_Protobuf_Struct(fields: value)))
  }

  /// A list.
  public init(_ value: [Google_Protobuf_Value]) {
    self.init(kind: .listValue(Google_Protobuf_ListValue(values: value)))
  }

  /// The string, if it is one.
  public var string: String? {
    if case .stringValue(let value) = kind { value } else { nil }
  }

  /// The number, if it is one.
  public var number: Double? {
    if case .numberValue(let value) = kind { value } else { nil }
  }

  /// The truth value, if it is one.
  public var bool: Bool? {
    if case .boolValue(let value) = kind { value } else { nil }
  }

  /// The object, if it is one.
  public var object: [String: Google_Protobuf_Value]? {
    if case .structValue(let value) = kind { value.fields } else { nil }
  }

  /// The list, if it is one.
  public var list: [Google_Protobuf_Value]? {
    if case .listValue(let value) = kind { value.values } else { nil }
  }

  /// Whether it is null. A value without a kind is not, although JSON writes it as null.
  public var isNull: Bool {
    if case .nullValue = kind { true } else { false }
  }

  /// A member of the object; nil when it does not exist, or this is not an object. Setting one replaces another kind of
  /// value by an object.
  public subscript(key: String) -> Google_Protobuf_Value? {
    get { object?[key] }
    set {
      var fields = object ?? [:]
      fields[key] = newValue
      self = Google_Protobuf_Value(fields)
    }
  }

  /// An element of the list; nil when the index is out of range, or this is not a list.
  public subscript(index: Int) -> Google_Protobuf_Value? {
    guard let list, list.indices.contains(index) else { return nil }
    return list[index]
  }
}

extension Google_Protobuf_Struct {
  /// A member; nil when it does not exist.
  public subscript(key: String) -> Google_Protobuf_Value? {
    get { fields[key] }
    set { fields[key] = newValue }
  }
}

extension Google_Protobuf_ListValue {
  /// An element; nil when the index is out of range.
  public subscript(index: Int) -> Google_Protobuf_Value? {
    values.indices.contains(index) ? values[index] : nil
  }
}

// The wrappers take their value without a label, and literals.

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
