// SPDX-License-Identifier: Apache-2.0

/// Why a message has no JSON form.
public struct JSONEncodingError: Error, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// A `google.protobuf.Any` holds a type that the registry does not have.
    case unregisteredType(String)
    /// The type URL of a `google.protobuf.Any` has no slash, or nothing behind it.
    case invalidTypeURL(String)
    /// What is in a `google.protobuf.Any` cannot be decoded.
    case undecodableAny(MessageDecodingError)
    /// What is in the field of an extension, which is named here, cannot be decoded.
    case undecodableExtension(String, MessageDecodingError)
    /// A `google.protobuf.Timestamp` is not between the years 1 and 9999, or its nanoseconds are not 0 to 999,999,999.
    case timestampOutOfRange
    /// A `google.protobuf.Duration` is over ±315,576,000,000 s, has a second or more of nanoseconds, or its parts
    /// differ in their signs.
    case durationOutOfRange
    /// A path of a `google.protobuf.FieldMask` does not come back from its JSON form.
    case invalidFieldMaskPath(String)
    /// A `google.protobuf.Value` is NaN or infinite.
    case nonFiniteValue
    /// A required field is nil. Only messages that contain each other by way of required fields alone have such fields.
    case missingRequiredField(String)
    /// Messages inside of `google.protobuf.Any` are nested deeper than 100.
    case nestingTooDeep
  }

  /// What is wrong.
  public let reason: Reason
  /// Full name of the innermost message that is wrong.
  public let messageName: String
  /// The fields on the way to it by their names in the schema, such as `status.details`; empty for the message itself.
  public let path: String

  /// One line for people.
  public var description: String {
    (path.isEmpty ? messageName : "\(path) (\(messageName))") + ": \(reason)"
  }
}

extension JSONEncodingError.Reason: CustomStringConvertible {
  /// A clause for people.
  public var description: String {
    switch self {
    case .unregisteredType(let name): "the registry has no type \(name)"
    case .invalidTypeURL(let url): "\"\(url)\" is no type URL"
    case .undecodableAny(let error): "what is inside cannot be decoded: \(error)"
    case .undecodableExtension(let name, let error): "extension \(name) cannot be decoded: \(error)"
    case .timestampOutOfRange: "the time is not between the years 1 and 9999"
    case .durationOutOfRange: "the duration is out of range, or its parts differ in their signs"
    case .invalidFieldMaskPath(let path): "path \"\(path)\" does not come back from JSON"
    case .nonFiniteValue: "JSON has no number for NaN and the infinities"
    case .missingRequiredField(let name): "required field \(name) is missing"
    case .nestingTooDeep: "messages are nested deeper than 100"
    }
  }
}
