// SPDX-License-Identifier: Apache-2.0
import GRDB
import Taxon

/// The registered conversion: wherever the database's own error meets a method's errors, it is `DATABASE_ERROR`. What
/// SQLite said stays in the process; the original is the cause, which the server logs.
// A package of your own writes `@retroactive TaxonomyErrorConvertible`: this one has the protocol itself.
extension GRDB.DatabaseError: TaxonomyErrorConvertible {
  /// `DATABASE_ERROR`, with the verb of the statement as the operation.
  public var taxonomyError: any TaxonomyError {
    SystemError.DatabaseError(operation: operation, error: description, cause: self)
  }

  private var operation: String {
    sql?.split(maxSplits: 1, whereSeparator: \.isWhitespace).first?.lowercased() ?? "access"
  }
}
