// SPDX-License-Identifier: Apache-2.0

/// How a server encrypts: TLS 1.2 or 1.3, and by ALPN HTTP/2 ("h2"; RFC 9113 §3.2, §9.2) or HTTP/1.1 ("http/1.1", or none).
public struct ServerTLS: Sendable, Hashable {
  /// What a server asks of its clients.
  public enum ClientCertificates: Sendable, Hashable {
    /// Clients are not asked for a certificate.
    case none
    /// A client need not have a certificate; one that it shows must be good.
    case optional
    /// A client without a good certificate is turned away (mTLS).
    case required
  }

  /// The server's certificate and key.
  public var identity: TLSIdentity
  /// Whether clients show certificates. What they showed is `ServerContext.peerCertificate`.
  public var clientCertificates: ClientCertificates
  /// Who may have signed the clients' certificates, or those certificates themselves.
  public var trustRoots: TrustRoots
  /// How often the files are looked at, 1 ms or more; when one has changed, new connections get what it holds now. Nil:
  /// never, and `Server.reloadCertificates` is the way.
  public var reloadInterval: Duration?

  /// TLS with this identity.
  public init(
    identity: TLSIdentity, clientCertificates: ClientCertificates = .none, trustRoots: TrustRoots = .system,
    reloadInterval: Duration? = nil
  ) {
    self.identity = identity
    self.clientCertificates = clientCertificates
    self.trustRoots = trustRoots
    self.reloadInterval = reloadInterval
  }

  /// TLS with the certificate and the key of two PEM files.
  public init(certificateFile: String, keyFile: String) {
    self.init(identity: TLSIdentity(certificateFile: certificateFile, keyFile: keyFile))
  }

  /// The files that connections depend on.
  var sources: [PEM] {
    [identity.certificates, identity.privateKey] + [trustRoots.source].compactMap(\.self)
  }
}
