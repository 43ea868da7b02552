// SPDX-License-Identifier: Apache-2.0

/// Why a text is not a JSON form of a message: what is wrong, in which message and field, and where in the text.
public struct JSONDecodingError: Error, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// The text ends inside a value.
    case unexpectedEnd
    /// The text does not have what the grammar (RFC 8259) or the field requires, such as "a string".
    case expected(String)
    /// The text goes on behind the message.
    case trailingCharacters
    /// A string is not UTF-8.
    case invalidUTF8
    /// A control character is in a string and not escaped.
    case controlCharacter
    /// A backslash has something behind it that is not an escape, or half of a surrogate pair.
    case invalidEscape
    /// A number is not valid JSON: leading zeros, a sign in front, no digits behind the point.
    case invalidNumber
    /// A number for a whole field has a fraction.
    case notWhole
    /// A number is too large or too small for the field's type.
    case outOfRange
    /// A text for bytes is not base64 or base64url.
    case invalidBase64
    /// A text is not an RFC 3339 time between the years 1 and 9999 with at most nine digits behind the seconds.
    case invalidTimestamp
    /// A text is not a duration such as "1.5s" within ±315,576,000,000 s.
    case invalidDuration
    /// A text is not a list of paths in lowerCamelCase.
    case invalidFieldMask
    /// The message has no such field.
    case unknownField(String)
    /// The enum has no such value.
    case unknownEnumValue(String)
    /// A field occurs twice, under either of its names.
    case duplicateField(String)
    /// A map or a `google.protobuf.Struct` has a key twice.
    case duplicateKey(String)
    /// Two members of one oneof are set; this is the second.
    case secondMemberOfOneof(String)
    /// A null is an element of a list or a value of a map.
    case nullElement
    /// A required field is missing.
    case missingRequiredField(String)
    /// A `google.protobuf.Any` has no "@type".
    case missingType
    /// The "@type" of a `google.protobuf.Any` has no slash, or nothing behind it.
    case invalidTypeURL(String)
    /// A `google.protobuf.Any` is of a type that the registry does not have.
    case unregisteredType(String)
    /// Messages are nested deeper than the limit.
    case nestingTooDeep(limit: Int)
    /// What is in a `google.protobuf.Any` takes more than 2 GiB, the limit of the binary format.
    case tooLarge
  }

  /// One pointer wide, so that functions that return a message need no further room for the error.
  private final class Storage: Sendable {
    let reason: Reason
    let messageName: String
    let fieldName: String?
    let place: JSONPlace

    init(_ reason: Reason, _ messageName: String, _ fieldName: String?, _ place: JSONPlace) {
      self.reason = reason
      self.messageName = messageName
      self.fieldName = fieldName
      self.place = place
    }
  }

  private let storage: Storage

  init(_ reason: Reason, messageName: String, fieldName: String?, place: JSONPlace) {
    storage = Storage(reason, messageName, fieldName, place)
  }

  /// What is wrong.
  public var reason: Reason { storage.reason }
  /// Full name of the innermost message that is wrong.
  public var messageName: String { storage.messageName }
  /// Name in the schema of the innermost field, where the fault is inside one.
  public var fieldName: String? { storage.fieldName }
  /// The path to the fault through the text, such as `tasks[3].labels["a b"]`; empty for the outermost value.
  public var path: String { storage.place.path }
  /// The byte at which the fault begins, from the start of the text.
  public var offset: Int { storage.place.offset }
  /// The line of that byte, from 1. Lines end with a line feed.
  public var line: Int { storage.place.line }
  /// The column of that byte, from 1, in characters of Unicode.
  public var column: Int { storage.place.column }

  /// One line for people.
  public var description: String {
    let subject = fieldName.map { "\(messageName).\($0)" } ?? messageName
    let way = path.isEmpty ? "" : ", at \(path)"
    return "\(subject): \(reason)\(way), line \(line), column \(column)"
  }

  /// Equality of contents.
  public static func == (one: Self, other: Self) -> Bool {
    one.reason == other.reason && one.messageName == other.messageName && one.fieldName == other.fieldName
      && one.storage.place == other.storage.place
  }

  /// Hash of the contents.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(reason)
    hasher.combine(messageName)
    hasher.combine(fieldName)
    hasher.combine(storage.place)
  }
}

extension JSONDecodingError.Reason: CustomStringConvertible {
  /// A clause for people.
  public var description: String {
    switch self {
    case .unexpectedEnd: "the text ends inside a value"
    case .expected(let what): "\(what) is expected"
    case .trailingCharacters: "the text goes on behind the message"
    case .invalidUTF8: "a string is not UTF-8"
    case .controlCharacter: "a control character is not escaped"
    case .invalidEscape: "a backslash does not begin an escape"
    case .invalidNumber: "a number is not valid JSON"
    case .notWhole: "a whole number has a fraction"
    case .outOfRange: "a number does not fit the field"
    case .invalidBase64: "a text is not base64"
    case .invalidTimestamp: "a text is not a time between the years 1 and 9999, such as 2024-02-29T12:00:00Z"
    case .invalidDuration: "a text is not a duration within ±315576000000 s, such as 1.5s"
    case .invalidFieldMask: "a text is not a list of paths in lowerCamelCase"
    case .unknownField(let name): "there is no field \"\(name)\""
    case .unknownEnumValue(let name): "there is no value \(name)"
    case .duplicateField(let name): "field \(name) occurs twice"
    case .duplicateKey(let key): "key \"\(key)\" occurs twice"
    case .secondMemberOfOneof(let name): "\(name) and another member of its oneof are set"
    case .nullElement: "a null is in a list or a map"
    case .missingRequiredField(let name): "required field \(name) is missing"
    case .missingType: "there is no \"@type\""
    case .invalidTypeURL(let url): "\"\(url)\" is not a type URL"
    case .unregisteredType(let name): "the registry has no type \(name)"
    case .nestingTooDeep(let limit): "messages are nested deeper than \(limit)"
    case .tooLarge: "a message takes more than 2 GiB"
    }
  }
}

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
    /// A required field is nil. Only messages that contain each other through required fields alone have such fields.
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
    case .invalidTypeURL(let url): "\"\(url)\" is not a type URL"
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
