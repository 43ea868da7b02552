// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

/// Which declared errors may leave by methods that do not raise them.
///
/// What a handler or an interceptor throws and the method does not raise is answered with `INTERNAL_ERROR`, of which the
/// log says which error it was; the counter "taxon.server.undeclared" (service, method) counts it. A plain gRPC status and
/// what Taxon itself reports of a call (`CallError`) leave by every method. To let an interceptor refuse calls with an
/// error of a schema, without each method raising it:
///
/// ```swift
/// configuration.undeclaredErrors.pass(AccessError.TokenExpired.self)
/// ```
///
/// An error that came out of a call of the handler's is never passed on by this: what it means to the caller is for the
/// method to say.
public struct UndeclaredErrors: Hashable, Sendable {
  /// Errors that may leave by every method.
  public var passing: Set<ErrorIdentity> = []
  /// Domains, such as "octollm.dev", all of whose errors may leave by every method.
  public var passingDomains: Set<String> = []

  /// None may.
  public init() {}

  /// Lets errors leave by every method.
  public mutating func pass(_ errors: any DeclaredError.Type...) {
    for error in errors { passing.insert(error.declaration.identity) }
  }

  /// Lets all errors of a category leave by every method.
  public mutating func pass(_ category: any ErrorUnion.Type) {
    for error in category.members { passing.insert(error.declaration.identity) }
  }

  func passes(_ identity: ErrorIdentity) -> Bool {
    passing.contains(identity) || passingDomains.contains(identity.domain)
  }

  /// - Throws: `SetupError.invalidSetting` for what cannot be a domain or a code, and so lets nothing pass.
  func check() throws(SetupError) {
    for domain in passingDomains.sorted() where !Self.isName(domain) {
      throw .invalidSetting(
        name: "undeclaredErrors.passingDomains", value: domain, reason: "a domain is a DNS name, such as octollm.dev")
    }
    for identity in passing.sorted(by: { $0.description < $1.description })
    where !Self.isName(identity.domain) || !Self.isName(identity.code) {
      throw .invalidSetting(
        name: "undeclaredErrors.passing", value: "\(identity)",
        reason: "an error has a domain and a code, such as octollm.dev and TASK_NOT_FOUND")
    }
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 < 0x7F && $0 != UInt8(ascii: "/") }
  }
}
