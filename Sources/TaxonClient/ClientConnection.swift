// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import TaxonHTTP2

/// What a client accepts.
public struct ClientLimits: Sendable {
  /// Bytes of one message of an answer.
  public var maxMessageSize = 4 * 1024 * 1024
  /// Bytes of an answer's head, and of its trailers, each field counted with 32 on top.
  public var maxHeaderListSize = 16 * 1024

  /// The values above.
  public init() {}
}

/// The client's end of one connection. Lives on the connection's event loop.
final class ClientConnection: HTTP2SessionDelegate {
  let eventLoop: any EventLoop
  let limits: ClientLimits
  private let authority: String
  private let endpointName: String
  private weak var channel: (any NIOCore.Channel)?
  private var handler: ConnectionHandler?
  /// Called once, when no new calls may be put on the connection any more.
  private var drained: (() -> Void)?
  private var heads: [String: HeaderBlock] = [:]
  private var isShuttingDown = false

  init(channel: any NIOCore.Channel, authority: String, endpointName: String, limits: ClientLimits) {
    self.channel = channel
    eventLoop = channel.eventLoop
    self.authority = authority
    self.endpointName = endpointName
    self.limits = limits
  }

  /// Puts the connection to work on its channel; `drained` is called when it takes no more calls.
  func start(configuration: HTTP2Configuration, drained: @escaping () -> Void) throws {
    let session = try HTTP2Session(role: .client, configuration: configuration)
    session.delegate = self
    self.drained = drained
    // The handler keeps the connection alive as long as the channel keeps the handler.
    let handler = ConnectionHandler(session: session) { [self] failure in closed(failure) }
    self.handler = handler
    try channel?.pipeline.syncOperations.addHandler(handler)
  }

  private func closed(_ failure: ConnectionFailure?) {
    endDraining()
    let reason = failure.map { "\($0)" } ?? "closed by the peer"
    let error = ConnectionError.ConnectionLost(endpoint: endpointName, error: reason)
    for case let stream as ClientStream in handler?.session.streams ?? [] { stream.connectionLost(error) }
    handler = nil
  }

  /// Sends a request's head and body.
  func open(_ stream: ClientStream, head: HeaderBlock) {
    guard let handler else {
      return stream.connectionLost(ConnectionError.CallRefused(endpoint: endpointName, reason: "connection closed"))
    }
    do throws(HTTP2Error) {
      try handler.session.submitRequest(stream, head: head)
    } catch {
      // The connection has used up its stream numbers, or is about to close: the call was not sent.
      stream.connectionLost(ConnectionError.CallRefused(endpoint: endpointName, reason: "\(error)"))
      beginShutdown()
    }
    handler.scheduleFlush()
  }

  /// The headers of a request. Those of calls that differ in nothing but the method are made once.
  func head(path: String, timeout: Duration?, metadata: Metadata, compression: Compression?) -> HeaderBlock {
    if timeout == nil, metadata.isEmpty, compression == nil {
      if let head = heads[path] { return head }
      let head = HeaderBlock(fields(path))
      heads[path] = head
      return head
    }
    var fields = fields(path)
    if let compression { fields.append(.init("grpc-encoding", compression.rawValue)) }
    if let timeout { fields.append(.init("grpc-timeout", Timeout.format(timeout), isIndexed: false)) }
    return HeaderBlock(fields + HeaderBlock.Field.fields(of: metadata))
  }

  private func fields(_ path: String) -> [HeaderBlock.Field] {
    [
      .init(":method", "POST"), .init(":scheme", "http"), .init(":path", path), .init(":authority", authority),
      .init("te", "trailers"), .init("content-type", "application/grpc"), .init("user-agent", "taxon"),
      .init("grpc-accept-encoding", Compression.acceptedHere),
    ]
  }

  func scheduleFlush() { handler?.scheduleFlush() }

  /// Takes no more calls and closes when those that are there have ended.
  func beginShutdown() {
    endDraining()
    isShuttingDown = true
    closeIfIdle()
  }

  /// A GOAWAY goes out with the last call: a server may close at once when it gets one and has no call of ours yet.
  private func closeIfIdle() {
    guard isShuttingDown, let handler, handler.session.streams.isEmpty else { return }
    handler.session.submitGoAway(errorCode: .noError)
    handler.scheduleFlush()
  }

  /// Closes at once.
  func close() { channel?.close(promise: nil) }

  private func endDraining() {
    let drained = drained
    self.drained = nil
    drained?()
  }

  func makeStream() -> HTTP2Stream? { nil }

  func receivedGoAway(lastStreamID: Int32, errorCode: UInt32, debugData: [UInt8]) {
    // nghttp2 ends the streams above the last itself, as refused.
    endDraining()
  }

  func receivedSettings() {}
  func receivedPingAck(_ payload: UInt64) {}

  func streamClosed() {
    guard drained == nil, handler?.session.streams.isEmpty ?? false else { return }
    // After a GOAWAY of the server's the connection has nothing more to do once its last call is over.
    handler?.scheduleFlush()
    closeIfIdle()
  }
}
