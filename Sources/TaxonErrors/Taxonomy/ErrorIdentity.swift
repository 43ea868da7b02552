// SPDX-License-Identifier: Apache-2.0

/// What names an error everywhere and for ever: who declared it, and its code there.
public struct ErrorIdentity: Hashable, Sendable {
  /// A DNS name the owner of the taxonomy controls, such as "octollm.dev".
  public var domain: String
  /// Such as "TASK_NOT_FOUND".
  public var code: String

  /// An identity from its parts.
  public init(domain: String, code: String) {
    self.domain = domain
    self.code = code
  }
}

extension ErrorIdentity: CustomStringConvertible {
  /// Such as "octollm.dev/TASK_NOT_FOUND".
  public var description: String { "\(domain)/\(code)" }
}
