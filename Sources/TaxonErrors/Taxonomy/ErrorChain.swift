// SPDX-License-Identifier: Apache-2.0

/// An error that says which error led to it. Every `TaxonomyError` does; conform a wrapper of your own, so that the chain of
/// causes does not end with it:
///
/// ```swift
/// extension StoreFailure: ErrorWithCause {
///   public var cause: (any Error)? { underlying }
/// }
/// ```
public protocol ErrorWithCause: Error {
  /// The error that led to this one; nil when there is none.
  var cause: (any Error)? { get }
}

extension ErrorWithCause {
  /// The nearest cause of a type, at any depth: a declared error also where it is a case of an enum; nil when there is none.
  ///
  /// ```swift
  /// if let failure = error.cause(as: FileError.self) { retryLater(failure.path) }
  /// ```
  public func cause<Cause: Error>(as type: Cause.Type) -> Cause? {
    for error in ErrorChain(self).dropFirst() {
      if let found = error as? Cause { return found }
      if let taxonomyError = error as? any TaxonomyError, let found = unwrapped(taxonomyError) as? Cause {
        return found
      }
    }
    return nil
  }
}

/// An error and the errors that led to it, nearest first. Goes through taxonomy errors and other `ErrorWithCause`s; the chain
/// ends at an error that is neither, and after 100 errors, since a cause may be an object that leads back to itself.
public struct ErrorChain: Sequence {
  private let error: any Error

  /// The chain that begins with an error.
  public init(_ error: any Error) { self.error = error }

  /// Goes through the chain.
  public func makeIterator() -> Iterator { Iterator(error) }

  /// Goes through a chain.
  public struct Iterator: IteratorProtocol {
    private var upcoming: (any Error)?
    private var left = 100

    fileprivate init(_ error: any Error) { upcoming = error }

    /// The next error of the chain.
    public mutating func next() -> (any Error)? {
      guard left > 0, let error = upcoming else { return nil }
      left -= 1
      upcoming = (error as? any ErrorWithCause)?.cause
      return error
    }
  }
}
