// SPDX-License-Identifier: Apache-2.0

/// How a message is read from JSON.
public struct JSONDecodingOptions: Sendable {
  /// Fields that the message does not have are skipped, and so are values of enums whose name is not known; otherwise
  /// they are errors.
  public var ignoresUnknownFields: Bool
  /// How many messages may be nested inside the outermost one. They are counted as in the binary format, so that what
  /// was read can be encoded and decoded again: the entry of a map is a message, and so is a `google.protobuf.Value`.
  /// Objects and lists of what is skipped count as well.
  public var nestingLimit: Int
  /// The types that a `google.protobuf.Any` may hold, besides the well-known ones, and the extensions of messages.
  public var registry: TypeRegistry

  /// The usual options: unknown fields are errors, a nesting limit of 100, an empty registry.
  public init(
    ignoresUnknownFields: Bool = false, nestingLimit: Int = 100, registry: TypeRegistry = TypeRegistry()
  ) {
    self.ignoresUnknownFields = ignoresUnknownFields
    self.nestingLimit = nestingLimit
    self.registry = registry
  }
}
