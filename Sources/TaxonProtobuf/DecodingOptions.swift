// SPDX-License-Identifier: Apache-2.0

/// How a message is decoded.
public struct DecodingOptions: Hashable, Sendable {
  /// How many messages may be nested inside the outermost one. Deeper input is refused before it is unpacked.
  public var nestingLimit: Int

  /// The usual options: a nesting limit of 100.
  @inlinable
  public init(nestingLimit: Int = 100) {
    self.nestingLimit = nestingLimit
  }
}
