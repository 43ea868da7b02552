// SPDX-License-Identifier: Apache-2.0

/// An error type that knows which declared error it amounts to. Conform a library's error type, so that code which
/// throws it can be lifted into a method's errors:
///
/// ```swift
/// extension GRDB.DatabaseError: @retroactive TaxonomyErrorConvertible {
///   public var taxonomyError: any TaxonomyError { SystemError.DatabaseError(operation: "query", error: description) }
/// }
/// ```
public protocol TaxonomyErrorConvertible: Error {
  /// The declared error. The original becomes its cause, unless it has one.
  var taxonomyError: any TaxonomyError { get }
}
