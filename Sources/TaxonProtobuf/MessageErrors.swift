// SPDX-License-Identifier: Apache-2.0

/// Why bytes are not a message: what is wrong, in which message and field, and at which byte.
public struct MessageDecodingError: Error, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// The input ends inside a tag, a number or a length.
    case truncated
    /// A length goes past the end of the input or of the message it is in.
    case lengthPastEnd(UInt64)
    /// A length is over 2 GiB, the limit of the format.
    case lengthTooLarge
    /// A number is longer than ten bytes, or a tag or length longer than five.
    case varintTooLong
    /// A field number is 0 or over 2^29 − 1.
    case invalidFieldNumber(UInt64)
    /// A wire type is not one of the six.
    case invalidWireType(Int)
    /// The length of a packed field is not a multiple of the size of its elements.
    case invalidPackedLength(Int, elementSize: Int)
    /// A group ends that is not the one that began last.
    case unmatchedEndGroup(UInt32)
    /// The message ends inside a group.
    case unterminatedGroup(UInt32)
    /// A string is not UTF-8.
    case invalidUTF8
    /// Messages are nested deeper than the limit.
    case nestingTooDeep(limit: Int)
    /// A required field is missing.
    case missingRequiredField
    /// The input is larger than 2 GiB, the limit of the format.
    case tooLarge
    /// There was no memory for the message.
    case outOfMemory
  }

  /// One pointer wide, so that functions that return a message need no further room for the error.
  private final class Storage: Sendable {
    let reason: Reason
    let messageName: String
    let fieldName: String?
    let offset: Int

    init(reason: Reason, messageName: String, fieldName: String?, offset: Int) {
      self.reason = reason
      self.messageName = messageName
      self.fieldName = fieldName
      self.offset = offset
    }
  }

  private let storage: Storage

  init(_ reason: Reason, messageName: String, fieldName: String? = nil, offset: Int) {
    storage = Storage(reason: reason, messageName: messageName, fieldName: fieldName, offset: offset)
  }

  /// What is wrong.
  public var reason: Reason { storage.reason }
  /// Full name of the innermost message that is wrong.
  public var messageName: String { storage.messageName }
  /// Name of the field, where the fault is inside a known one.
  public var fieldName: String? { storage.fieldName }
  /// The byte at which the fault begins, from the start of the input.
  public var offset: Int { storage.offset }

  /// One line for people.
  public var description: String {
    let place = fieldName.map { "\(messageName).\($0)" } ?? messageName
    return "\(place): \(reason), at byte \(offset)"
  }

  /// Equality of contents.
  public static func == (one: Self, other: Self) -> Bool {
    one.reason == other.reason && one.messageName == other.messageName && one.fieldName == other.fieldName
      && one.offset == other.offset
  }

  /// Hash of the contents.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(reason)
    hasher.combine(messageName)
    hasher.combine(fieldName)
    hasher.combine(offset)
  }
}

extension MessageDecodingError.Reason: CustomStringConvertible {
  /// A clause for people.
  public var description: String {
    switch self {
    case .truncated: "the input ends inside a value"
    case .lengthPastEnd(let length): "length \(length) goes past the end"
    case .lengthTooLarge: "a length is over 2 GiB"
    case .varintTooLong: "a varint is too long"
    case .invalidFieldNumber(let number): "invalid field number \(number)"
    case .invalidWireType(let type): "invalid wire type \(type)"
    case .invalidPackedLength(let length, let size): "packed length \(length) is not a multiple of \(size)"
    case .unmatchedEndGroup(let number): "group \(number) ends without having begun"
    case .unterminatedGroup(let number): "group \(number) does not end"
    case .invalidUTF8: "a string is not UTF-8"
    case .nestingTooDeep(let limit): "messages are nested deeper than \(limit)"
    case .missingRequiredField: "a required field is missing"
    case .tooLarge: "the input is larger than 2 GiB"
    case .outOfMemory: "there is not enough memory for the message"
    }
  }
}

extension MessageDecodingError {
  /// Has no place until `MessageDescriptor.locate` finds it.
  static let invalidUTF8 = MessageDecodingError(.invalidUTF8, messageName: "", offset: 0)

  /// Not a fault: thrown for a number that a closed enum does not have, so that `MessageDescriptor.unpackAgain` puts it
  /// with the unknown fields. Recognised by its identity.
  @usableFromInline
  static let unknownEnumValue = MessageDecodingError(.outOfMemory, messageName: "", offset: 0)

  var isUnknownEnumValue: Bool { storage === Self.unknownEnumValue.storage }
}

/// Why a message cannot be encoded.
public struct MessageEncodingError: Error, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// The message takes more than 2 GiB, the limit of the format.
    case tooLarge(byteCount: Int)
    /// A required field is nil. Only messages that contain each other through required fields alone have such fields.
    case missingRequiredField(String)
  }

  /// What is wrong.
  public let reason: Reason
  /// Full name of the message.
  public let messageName: String

  /// One line for people.
  public var description: String {
    switch reason {
    case .tooLarge(let byteCount): "\(messageName): \(byteCount) bytes are more than the 2 GiB a message can have"
    case .missingRequiredField(let name): "\(messageName).\(name): a required field is missing"
    }
  }
}
