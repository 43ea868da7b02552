// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOEmbedded
import TaxonTransport

/// What the client has of one connection of a dialogue, all of which is to be gone at the end of the dialogue.
final class ClientEnd {
  private struct Stream {
    let id: Int32
    weak var receiver: AnyObject?
  }

  private let number: Int
  private weak var handler: ConnectionHandler?
  private(set) weak var session: HTTP2Session?
  private weak var connection: AnyObject?
  private weak var ledger: AnyObject?
  private var streams: [Stream] = []

  init(of connection: ServerConnection) throws {
    number = connection.number
    let handler = try connection.channel.pipeline.syncOperations.handler(type: ConnectionHandler.self)
    self.handler = handler
    session = handler.session
    ledger = handler.session.ledger
    self.connection = handler.session.delegate
  }

  /// Looks at the streams that there are now: something goes out for each.
  func noteStreams() {
    for stream in session?.streams ?? [] where !streams.contains(where: { $0.id == stream.id }) {
      streams.append(Stream(id: stream.id, receiver: stream.receiver))
    }
  }

  /// What is left of it.
  var leftovers: [String] {
    var left: [String] = []
    if connection != nil { left.append("the client's connection \(number) is left") }
    if handler != nil { left.append("the channel handler of connection \(number) is left") }
    if let session {
      left.append("the session of connection \(number) is left, with \(session.streams.count) streams")
    }
    if ledger != nil { left.append("the ledger of connection \(number) is left") }
    for stream in streams where stream.receiver != nil {
      left.append("stream \(stream.id) of connection \(number) is left")
    }
    return left
  }
}
