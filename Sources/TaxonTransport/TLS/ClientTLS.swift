// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOSSL
import NIOTLS
import TaxonErrors

/// How a client encrypts: TLS 1.2 or 1.3 with HTTP/2 agreed on by ALPN (RFC 9113 §3.2, §9.2). A server that does not
/// choose "h2" is not talked to.
public struct ClientTLS: Sendable, Hashable {
  /// What a client checks of the server's certificate.
  public enum Verification: Sendable, Hashable {
    /// That a trusted authority signed it and that it is for the name, or the address, that was asked for.
    case full
    /// That a trusted authority signed it, whatever name it is for. For servers behind names that are not theirs.
    case withoutName
    /// Nothing: anybody on the way can read and change the calls. For tests.
    case insecureWithoutVerification
  }

  /// Who may have signed the server's certificate, or that certificate itself.
  public var trustRoots: TrustRoots
  /// The client's own certificate, for servers that ask for one (mTLS).
  public var identity: TLSIdentity?
  /// The name that the server's certificate is for, and that is asked for by SNI; nil takes the target's host. A DNS
  /// name: for an address leave it nil.
  public var serverName: String?
  /// What is checked of the server's certificate.
  public var verification: Verification
  /// How often the files are looked at, 1 ms or more; when one has changed, new connections get what it holds now. Nil:
  /// never.
  public var reloadInterval: Duration?

  /// TLS that believes the operating system's authorities, and has no certificate of its own, unless it is told
  /// otherwise.
  public init(
    trustRoots: TrustRoots = .system, identity: TLSIdentity? = nil, serverName: String? = nil,
    verification: Verification = .full, reloadInterval: Duration? = nil
  ) {
    self.trustRoots = trustRoots
    self.identity = identity
    self.serverName = serverName
    self.verification = verification
    self.reloadInterval = reloadInterval
  }

  /// The files that connections depend on.
  var sources: [PEM] {
    [identity?.certificates, identity?.privateKey, trustRoots.source].compactMap(\.self)
  }

  /// Reads the files.
  ///
  /// - Throws: `SetupError.invalidSetting` when one cannot be read, or the key is not the certificate's.
  func makeContext() throws(SetupError) -> TLSContext {
    if let serverName, !TLSContextSource.isServerName(serverName) {
      throw .invalidSetting(
        name: "tls.serverName", value: serverName, reason: "it must be a DNS name of at most 255 bytes")
    }
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.restrictToHTTP2()
    try identity?.apply(to: &configuration)
    switch verification {
    case .full: configuration.certificateVerification = .fullVerification
    case .withoutName: configuration.certificateVerification = .noHostnameVerification
    case .insecureWithoutVerification: configuration.certificateVerification = .none
    }
    let roots = verification == .insecureWithoutVerification ? .certificates([]) : try trustRoots.read()
    configuration.trustRoots = roots
    return TLSContext(try configuration.makeContext(identity), pinned: PinnedCertificates(roots, role: .server))
  }
}

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
