// SPDX-License-Identifier: Apache-2.0

/// What names a category of errors: who declared it, and its place in the taxonomy.
public struct ErrorCategory: Hashable, Sendable {
  /// A DNS name the owner of the taxonomy controls, such as "octollm.dev".
  public var domain: String
  /// Names of the categories around it and its own, outermost first. Empty for the whole taxonomy.
  public var path: [String]

  /// A category from its parts.
  public init(domain: String, path: [String]) {
    self.domain = domain
    self.path = path
  }

  /// Whether an error is in the category, or in one inside it. Errors of other services say so in ErrorTraits, also those that
  /// are newer than this program.
  public func contains(_ error: any TaxonomyError) -> Bool {
    error.domain == domain && error.categories.starts(with: path)
  }
}

extension ErrorCategory: CustomStringConvertible {
  /// Such as "octollm.dev/ValidationError".
  public var description: String { ([domain] + path).joined(separator: "/") }
}

extension TaxonomyError {
  /// The error as a case of a category, a taxonomy or what a method raises; nil when it is in none of its categories. An error of
  /// the category that is newer than this program is in `other`.
  ///
  /// ```swift
  /// } catch let error as any TaxonomyError {
  ///   if let invalid = error.as(ValidationError.self) { show(invalid) }
  /// }
  /// ```
  public func `as`<Union: ErrorUnion>(_ type: Union.Type) -> Union? {
    let error = unwrapped(self)
    guard let undeclared = error as? RPCError else { return Union(error) }
    return Union.category?.contains(undeclared) == true ? Union.other(undeclared) : nil
  }

  /// Whether the error is in a category, a taxonomy or what a method raises.
  ///
  /// ```swift
  /// } catch let error where error.is(ValidationError.self) {
  /// ```
  public func `is`(_ type: any ErrorUnion.Type) -> Bool {
    func holds<Union: ErrorUnion>(_ type: Union.Type) -> Bool { self.as(type) != nil }
    return holds(type)
  }
}
