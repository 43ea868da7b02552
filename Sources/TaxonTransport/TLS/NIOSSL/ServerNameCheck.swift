// SPDX-License-Identifier: Apache-2.0
#if TLS
import NIOCore
import NIOTLS

/// Makes sure that a server's certificate is for the name that was asked for (RFC 9525). NIOSSL is content with one for
/// the address that is connected to, which who answers there may well have, whatever the name.
final class ServerNameCheck: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let name: String

  /// - Parameter name: A DNS name.
  init(name: String) { self.name = name }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
      let names = PeerCertificate(of: context.channel)?.names ?? []
      guard names.contains(where: { Self.matches($0, name) }) else {
        context.fireErrorCaught(ConnectionFailure.wrongName(name, names.map(\.description)))
        return context.close(promise: nil)
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  /// A star stands for the whole first label, and for one label alone (RFC 9525 §6.3).
  static func matches(_ name: PeerCertificate.Name, _ wanted: String) -> Bool {
    guard case .dns(let pattern) = name else { return false }
    let asked = labels(wanted)
    let given = labels(pattern)
    guard asked.count == given.count, !given.isEmpty else { return false }
    guard given[0] == "*", given.count > 2 else { return given == asked }
    return given.dropFirst() == asked.dropFirst()
  }

  private static func labels(_ name: String) -> [Substring] {
    var labels = name.lowercased().split(separator: ".", omittingEmptySubsequences: false)
    // The root's dot.
    if labels.last == "" { labels.removeLast() }
    return labels
  }
}
#endif
