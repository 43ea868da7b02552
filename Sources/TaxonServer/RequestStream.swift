// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// The messages of a request, as they come. One task reads them, once.
///
/// What has not been read bounds what the caller may send: a slow handler slows its caller.
public struct RequestStream<Element: Message, Failure: ErrorUnion>: AsyncSequence, Sendable {
  private let read: @Sendable () async throws(Failure) -> Element?

  /// Messages from somewhere else, for tests that call a handler without a server.
  public init(_ messages: some Sequence<Element> & Sendable) {
    let rest = Locked(Array(messages)[...])
    read = { () async throws(Failure) in rest.withLock { $0.popFirst() } }
  }

  init(read: @escaping @Sendable () async throws(Failure) -> Element?) { self.read = read }

  /// The first message, when no other is wanted.
  func first() async throws(Failure) -> Element? { try await read() }

  /// Reads the messages.
  public struct AsyncIterator: AsyncIteratorProtocol {
    fileprivate let read: @Sendable () async throws(Failure) -> Element?

    /// The next message, or nil when the caller has sent all.
    ///
    /// - Throws: CANCELLED or `DeadlineExceeded` when the call is over before its end; CANCELLED when the handler has
    ///   returned.
    public mutating func next() async throws(Failure) -> Element? { try await read() }

    /// The next message, or nil when the caller has sent all.
    ///
    /// - Throws: CANCELLED or `DeadlineExceeded` when the call is over before its end; CANCELLED when the handler has
    ///   returned.
    public mutating func next(isolation actor: isolated (any Actor)?) async throws(Failure) -> Element? {
      try await read()
    }
  }

  /// Begins, or goes on, to read.
  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(read: read) }
}
