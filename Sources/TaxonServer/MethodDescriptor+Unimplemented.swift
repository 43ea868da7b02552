// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors

extension MethodDescriptor {
  /// What a generated `PartialService` answers for a method that was left out: the plain status UNIMPLEMENTED, in the words
  /// that a caller also gets for a method which the server does not know.
  public func unimplemented() -> Failure {
    .other(RPCError(.unimplemented, "Method \(path) is not implemented"))
  }
}
