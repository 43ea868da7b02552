// SPDX-License-Identifier: Apache-2.0

/// A message type that may not have been described yet, so that messages can contain each other.
package final class DynamicMessageType:
  // @unchecked: set once, by who describes a schema, before anything else sees its types.
  @unchecked Sendable
{
  package var descriptor: MessageDescriptor? {
    didSet { if let descriptor { Self.kept.withLock { $0.append(descriptor) } } }
  }

  // Descriptors are never freed. These refer to each other in circles, and nothing else need refer to them.
  private static let kept = Locked<[MessageDescriptor]>([])

  /// A type that is still to be described.
  package init() {}
}

extension FieldType {
  /// A message of a schema that is read at run time; its type must be described before it is used.
  package static func message(_ type: DynamicMessageType, encoding: Encoding = .lengthPrefixed) -> FieldType {
    var result = FieldType(.message)
    result.label = .optional
    result.encoding = encoding
    result.dynamicMessage = type
    return result
  }

  /// An enum of a schema that is read at run time.
  package static func `enum`(_ descriptor: EnumDescriptor) -> FieldType {
    var result = FieldType(.enum)
    result.dynamicEnum = descriptor
    return result
  }

  /// The message type; nil for what is none.
  var message: MessageDescriptor? { messageType?.descriptor ?? dynamicMessage?.descriptor }

  /// The enum; nil for what is none.
  var enumeration: EnumDescriptor? { enumType?.descriptor ?? dynamicEnum }
}
