// SPDX-License-Identifier: Apache-2.0

/// Why a text is not a message in the text format: what is wrong, in which message and field, and where in the text.
public struct TextFormatDecodingError: Error, Hashable, CustomStringConvertible {
  /// What is wrong.
  public enum Reason: Hashable, Sendable {
    /// The text ends inside a message or a value.
    case unexpectedEnd
    /// The text does not have what the grammar or the field requires, such as "a string".
    case expected(String)
    /// The text is not UTF-8, or the bytes of a string are not.
    case invalidUTF8
    /// The text has a NUL, or a string goes on in the next line without an escape.
    case controlCharacter
    /// A backslash has something behind it that is not an escape, or no character of Unicode.
    case invalidEscape
    /// A number is malformed: leading zeros, no digits behind `0x`, letters behind it.
    case invalidNumber
    /// A number is too large or too small for the field's type.
    case outOfRange
    /// The message has no such field.
    case unknownField(String)
    /// The registry has no such extension of the message.
    case unknownExtension(String)
    /// The enum has no such value.
    case unknownEnumValue(String)
    /// A field that is not repeated occurs twice.
    case duplicateField(String)
    /// Two members of one oneof are set; this is the second.
    case secondMemberOfOneof(String)
    /// A required field is missing.
    case missingRequiredField(String)
    /// What stands in brackets is no type URL: it has other characters than a URL's, or no name behind the last slash.
    case invalidTypeURL(String)
    /// An expanded `google.protobuf.Any` is of a type that the registry does not have.
    case unregisteredType(String)
    /// Messages are nested deeper than the limit.
    case nestingTooDeep(limit: Int)
    /// What is in a `google.protobuf.Any` or an extension takes more than 2 GiB, the limit of the binary format.
    case tooLarge
  }

  /// One pointer wide, so that functions that return a message need no further room for the error.
  private final class Storage: Sendable {
    let reason: Reason
    let messageName: String
    let fieldName: String?
    let path: String
    let offset: Int
    let line: Int
    let column: Int

    init(
      _ reason: Reason, _ messageName: String, _ fieldName: String?, _ path: String, _ offset: Int, _ line: Int,
      _ column: Int
    ) {
      self.reason = reason
      self.messageName = messageName
      self.fieldName = fieldName
      self.path = path
      self.offset = offset
      self.line = line
      self.column = column
    }
  }

  private let storage: Storage

  /// The place is found by reading the text up to there once more.
  init(
    _ reason: Reason, messageName: String, fieldName: String?, path: String, offset: Int,
    in text: UnsafeBufferPointer<UInt8>
  ) {
    var line = 1
    var column = 1
    for byte in text[..<offset] {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        // Bytes that continue a character do not count.
        column += 1
      }
    }
    storage = Storage(reason, messageName, fieldName, path, offset, line, column)
  }

  /// What is wrong.
  public var reason: Reason { storage.reason }
  /// Full name of the innermost message that is wrong.
  public var messageName: String { storage.messageName }
  /// Name in the schema of the innermost field, where the fault is inside one.
  public var fieldName: String? { storage.fieldName }
  /// The path to the field through the text, such as `tasks[3].labels[0].key`; empty for the outermost message.
  public var path: String { storage.path }
  /// The byte at which the fault begins, from the start of the text.
  public var offset: Int { storage.offset }
  /// The line of that byte, from 1. Lines end with a line feed.
  public var line: Int { storage.line }
  /// The column of that byte, from 1, in characters of Unicode.
  public var column: Int { storage.column }

  /// One line for people.
  public var description: String {
    let subject = fieldName.map { "\(messageName).\($0)" } ?? messageName
    let way = path.isEmpty ? "" : ", at \(path)"
    return "\(subject): \(reason)\(way), line \(line), column \(column)"
  }

  /// Equality of contents.
  public static func == (one: Self, other: Self) -> Bool {
    one.reason == other.reason && one.messageName == other.messageName && one.fieldName == other.fieldName
      && one.path == other.path && one.offset == other.offset
  }

  /// Hash of the contents.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(reason)
    hasher.combine(messageName)
    hasher.combine(fieldName)
    hasher.combine(path)
    hasher.combine(offset)
  }
}

extension TextFormatDecodingError.Reason: CustomStringConvertible {
  /// A clause for people.
  public var description: String {
    switch self {
    case .unexpectedEnd: "the text ends too early"
    case .expected(let what): "expected \(what)"
    case .invalidUTF8: "a string is not UTF-8"
    case .controlCharacter: "a NUL, or the end of a line inside a string, must be escaped"
    case .invalidEscape: "an escape is not valid"
    case .invalidNumber: "a number is not valid"
    case .outOfRange: "a number does not fit the field"
    case .unknownField(let name): "there is no field \(name)"
    case .unknownExtension(let name): "the registry has no extension \(name)"
    case .unknownEnumValue(let name): "there is no value \(name)"
    case .duplicateField(let name): "field \(name) occurs twice"
    case .secondMemberOfOneof(let name): "\(name) and another member of its oneof are set"
    case .missingRequiredField(let name): "required field \(name) is missing"
    case .invalidTypeURL(let url): "\"\(url)\" is not a type URL"
    case .unregisteredType(let name): "the registry has no type \(name)"
    case .nestingTooDeep(let limit): "messages are nested deeper than \(limit)"
    case .tooLarge: "a message takes more than 2 GiB"
    }
  }
}
