// SPDX-License-Identifier: Apache-2.0

/// Makes something of an error, such as its trailers. An error hands over what it is, whatever union or wrapper it is in, and
/// knows nothing of what is made of it; this spares the casts that `as(_:)` takes.
public protocol ErrorVisitor<Answer> {
  /// What is made of an error.
  associatedtype Answer

  /// Visits an error with a schema: `declaration` has its facts, `publicPayload` what may leave the process.
  func declared(_ error: some DeclaredError) -> Answer

  /// Visits a failure that its method does not declare: of a plain status and of an error without a schema, facts are all that
  /// is known.
  func undeclared(_ error: RPCError) -> Answer
}
