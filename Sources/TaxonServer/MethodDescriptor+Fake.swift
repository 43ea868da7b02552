// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors

extension MethodDescriptor {
  /// The handler that a generated `Fake` was given for this method. Throws UNIMPLEMENTED, with the method's name, when it
  /// was given none.
  public func given<Handler>(_ handler: Handler?) throws(Failure) -> Handler {
    guard let handler else {
      throw .other(RPCError(.unimplemented, "The fake was given nothing to do for \(service)/\(method)"))
    }
    return handler
  }
}
