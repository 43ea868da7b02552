// SPDX-License-Identifier: Apache-2.0

extension Message {
  /// Readable text.
  public var description: String { Self.descriptor.name }
}
