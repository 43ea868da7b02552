// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf

/// Sends the messages of a reply, one after the other.
public struct ResponseWriter<Element: Message, Failure: ErrorUnion>: Sendable {
  private let send: @Sendable (Element, Bool?) async throws(Failure) -> Void

  /// A writer to somewhere else, for tests that call a handler without a server.
  public init(_ write: @escaping @Sendable (Element) async throws(Failure) -> Void) {
    send = { (message, _) async throws(Failure) in try await write(message) }
  }

  init(send: @escaping @Sendable (Element, Bool?) async throws(Failure) -> Void) { self.send = send }

  /// Sends a message, and returns when there is room for another: a slow caller slows the handler.
  ///
  /// - Parameter compress: Whether this very message is compressed, if the reply may be; nil leaves it to its size.
  /// - Throws: CANCELLED or `DeadlineExceeded` when the call is over; CANCELLED when the handler has returned.
  public func write(_ message: Element, compress: Bool? = nil) async throws(Failure) {
    try await send(message, compress)
  }

  /// Sends messages in their order.
  ///
  /// - Throws: CANCELLED or `DeadlineExceeded` when the call is over; CANCELLED when the handler has returned.
  public func write(contentsOf messages: some Sequence<Element>) async throws(Failure) {
    for message in messages { try await send(message, nil) }
  }
}
