// SPDX-License-Identifier: Apache-2.0

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
}
