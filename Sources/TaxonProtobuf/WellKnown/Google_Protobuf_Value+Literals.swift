// SPDX-License-Identifier: Apache-2.0

// JSON-like values are written as literals: `["name": "Ada", "age": 36, "tags": ["a", nil]]`.

extension Google_Protobuf_Value: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  /// JSON's null.
  public init(nilLiteral: ()) { self.init(kind: .nullValue(.nullValue)) }

  /// A truth value.
  public init(booleanLiteral value: Bool) { self.init(kind: .boolValue(value)) }

  /// A number, which is a Double as all numbers here.
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
