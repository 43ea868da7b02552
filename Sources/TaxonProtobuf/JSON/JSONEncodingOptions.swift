// SPDX-License-Identifier: Apache-2.0

/// How a message is written as JSON.
public struct JSONEncodingOptions: Sendable {
  /// Fields are called as in the schema, `task_id`, rather than `taskId`.
  public var usesOriginalNames: Bool
  /// Fields without presence are there also when they have their default value: numbers, strings, bytes, bools and
  /// enums of proto3, empty lists and maps.
  public var printsDefaults: Bool
  /// Enums are written as numbers rather than names.
  public var printsEnumsAsNumbers: Bool
  /// The entries of maps are sorted by their keys. Otherwise they come in the order of Swift's dictionaries, which
  /// changes from one run of a program to the next.
  public var sortsMapKeys: Bool
  /// The types that a `google.protobuf.Any` may hold, besides the well-known ones, and the extensions of messages.
  public var registry: TypeRegistry

  /// The usual options: JSON names, no defaults, names of enums, an empty registry.
  public init(
    usesOriginalNames: Bool = false, printsDefaults: Bool = false, printsEnumsAsNumbers: Bool = false,
    sortsMapKeys: Bool = false, registry: TypeRegistry = TypeRegistry()
  ) {
    self.usesOriginalNames = usesOriginalNames
    self.printsDefaults = printsDefaults
    self.printsEnumsAsNumbers = printsEnumsAsNumbers
    self.sortsMapKeys = sortsMapKeys
    self.registry = registry
  }
}
