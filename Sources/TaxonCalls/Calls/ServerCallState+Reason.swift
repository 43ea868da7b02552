// SPDX-License-Identifier: Apache-2.0

extension ServerCallState.Fault {
  /// What the peer did wrong, for the peer.
  var reason: String {
    switch self {
    case .headersTooLarge(let size, let limit): "headers of \(size) bytes are over the limit of \(limit) bytes"
    case .invalidTimeout(let text):
      "grpc-timeout \"\(text)\" is not 1 to 8 digits and one of the units H, M, S, m, u, n"
    case .unsupportedEncoding(let encoding): "encoding \(encoding) is not supported"
    case .compressedWithoutEncoding: "a message is marked as compressed, but the call names no grpc-encoding"
    case .tooManyMessages: "the method takes one message, and a second one came"
    case .noMessage: "the method takes one message, and the request ended without one"
    case .truncatedMessage(let place): "the request is truncated: it ended \(place)"
    case .invalidFlag(let flag): "the prefix of a message begins with \(flag); it must be 0 or 1"
    case .messageTooLarge(let size, let limit): "a message of \(size) bytes is over the limit of \(limit) bytes"
    }
  }
}
