// SPDX-License-Identifier: Apache-2.0
import Foundation
import NIOCore
import NIOEmbedded
import TaxonErrors

@testable import TaxonClient

/// Servers without sockets, on a loop that is moved by hand: a dialer that connects to them, unless nobody listens.
// Used on the test's thread alone.
final class ScriptedServers: Dialer, @unchecked Sendable {
  /// The connections that were made, the oldest first.
  private(set) var connections: [ScriptedConnection] = []
  /// What was dialed, with the addresses of one dial as one text.
  private(set) var dialed: [String] = []
  /// Addresses at which nobody listens.
  var absent: Set<String> = []
  /// No dial comes to an end before its timeout.
  var isSilent = false
  /// How many streams the servers allow.
  var maxStreams = 100

  func dial(
    _ addresses: [SocketAddress], on eventLoop: any EventLoop, timeout: TimeAmount,
    initializer: @escaping @Sendable (any NIOCore.Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any NIOCore.Channel> {
    dialed.append(addresses.map(\.text).joined(separator: ","))
    if isSilent {
      let promise = eventLoop.makePromise(of: (any NIOCore.Channel).self)
      eventLoop.scheduleTask(in: timeout) { promise.fail(ChannelError.connectTimeout(timeout)) }
      return promise.futureResult
    }
    guard let loop = eventLoop as? EmbeddedEventLoop,
      let address = addresses.first(where: { !absent.contains($0.text) })
    else { return eventLoop.makeFailedFuture(IOError(errnoCode: ECONNREFUSED, reason: "connect")) }
    let connection = ScriptedConnection(address, on: loop)
    connections.append(connection)
    let maxStreams = maxStreams
    return initializer(connection.channel).assumeIsolated().map {
      connection.begin(maxStreams: maxStreams)
      return connection.channel
    }.nonisolated()
  }

  /// Closes what is open.
  func close() {
    for connection in connections { _ = try? connection.channel.finish(acceptAlreadyClosed: true) }
  }
}

/// The server's end of one connection, which says what a test has it say.
final class ScriptedConnection {
  let address: SocketAddress
  let channel: EmbeddedChannel
  private var input: [UInt8] = []
  private var hasPreface = false
  private var begun: [Int] = []
  private var reset: [Int: Int] = [:]

  fileprivate init(_ address: SocketAddress, on loop: EmbeddedEventLoop) {
    self.address = address
    channel = EmbeddedChannel(loop: loop)
  }

  fileprivate func begin(maxStreams: Int) {
    channel.connect(to: address, promise: nil)
    // When the client knows of its connection.
    channel.embeddedEventLoop.execute { [self] in
      send(FrameBytes.settings([(SettingID.maxConcurrentStreams, maxStreams)]))
    }
  }

  /// The streams that the client has opened, in their order.
  var streams: [Int] {
    read()
    return begun
  }

  /// The codes with which the client has reset streams.
  var resets: [Int: Int] {
    read()
    return reset
  }

  func send(_ bytes: [UInt8]) {
    _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
    channel.embeddedEventLoop.run()
  }

  func sendHead(_ stream: Int) {
    send(FrameBytes.headers(stream, [(":status", "200"), ("content-type", "application/grpc")]))
  }

  /// A message of the type `BytesValue`.
  func sendMessage(_ stream: Int, _ value: String) {
    send(FrameBytes.data(stream, FrameBytes.message(FrameBytes.field(1, Array(value.utf8)))))
  }

  func sendEnd(_ stream: Int) { send(FrameBytes.headers(stream, [("grpc-status", "0")], endStream: true)) }

  func answer(_ stream: Int, _ value: String) {
    sendHead(stream)
    sendMessage(stream, value)
    sendEnd(stream)
  }

  func fail(_ stream: Int, _ status: StatusCode) {
    send(
      FrameBytes.headers(
        stream, [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "\(status.rawValue)")],
        endStream: true))
  }

  func close() {
    channel.close(promise: nil)
    channel.embeddedEventLoop.run()
  }

  private func read() {
    while let bytes = try? channel.readOutbound(as: ByteBuffer.self) { input += bytes.readableBytesView }
    if !hasPreface, input.count >= 24 {
      input.removeFirst(24)
      hasPreface = true
    }
    while hasPreface, input.count >= 9 {
      let size = 9 + FrameBytes.number(in: input, at: 0, 3)
      guard input.count >= size else { return }
      let stream = FrameBytes.number(in: input, at: 5, 4)
      switch FrameType(rawValue: input[3]) {
      case .headers: begun.append(stream)
      case .reset: reset[stream] = FrameBytes.number(in: input, at: 9, 4)
      default: break
      }
      input.removeFirst(size)
    }
  }
}

/// "10.0.0.1:443", …
func addresses(_ hosts: Int...) -> [SocketAddress] {
  hosts.compactMap { try? SocketAddress(ipAddress: "10.0.0.\($0)", port: 443) }
}
