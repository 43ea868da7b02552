// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonTransport

@testable import TaxonClient
@testable import TaxonServer

/// A server that the test has to shut down: it, its handlers and its connections are expected to be gone at the end of
/// the test.
package func watched(_ server: Server) -> Server {
  let leftovers = Leftovers.ofThisTest
  leftovers.watch(server, "a server")
  // What listens and what is connected holds it.
  leftovers.watch(server.connections, "what a server listens with, or a connection of it")
  leftovers.watchHandlers { [reporter = server.reporter] in reporter.runningHandlers }
  server.connections.observe { channel, isListening in
    leftovers.watch(channel, isListening ? "what a server listens with" : "a connection of a server")
  }
  return server
}

/// A channel that is expected to be gone at the end of the test, with its connections.
package func watched(_ channel: TaxonClient.Channel) -> TaxonClient.Channel {
  let leftovers = Leftovers.ofThisTest
  let dispatcher = channel.engine.dispatcher
  leftovers.watch(channel, "a channel")
  leftovers.watch(dispatcher, "the dispatcher of a channel", on: dispatcher.eventLoop)
  if let task = channel.reloading { leftovers.watch(task, "the task that reads a channel's certificates again") }
  return channel
}

/// Makes connections by another dialer, and has them watched.
struct WatchedDialer: Dialer {
  let dialer: any Dialer
  let leftovers: Leftovers

  func dial(
    _ addresses: [SocketAddress], on eventLoop: any EventLoop, timeout: TimeAmount,
    initializer: @escaping @Sendable (any NIOCore.Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any NIOCore.Channel> {
    dialer.dial(addresses, on: eventLoop, timeout: timeout) { [leftovers] channel in
      initializer(channel).map { leftovers.watch(channel, "a connection of a channel") }
    }
  }
}
