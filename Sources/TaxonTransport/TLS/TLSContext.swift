// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOSSL
import TaxonErrors
import TaxonProtobuf

/// What connections are made from.
struct TLSContext: Sendable {
  private let context: NIOSSLContext
  /// The peers' own certificates, where these alone are trusted.
  private let pinned: PinnedCertificates?

  init(_ context: NIOSSLContext, pinned: PinnedCertificates?) {
    self.context = context
    self.pinned = pinned
  }

  func makeClientHandler(serverHostname: String?) throws -> NIOSSLClientHandler {
    guard let pinned else { return try NIOSSLClientHandler(context: context, serverHostname: serverHostname) }
    return try NIOSSLClientHandler(
      context: context, serverHostname: serverHostname, customVerificationCallback: pinned.callback)
  }

  func makeServerHandler() throws -> NIOSSLServerHandler {
    guard let pinned else { return NIOSSLServerHandler(context: context) }
    return NIOSSLServerHandler(context: context, customVerificationCallback: pinned.callback)
  }
}

extension TLSConfiguration {
  /// Leaves what HTTP/2 allows (RFC 9113 §9.2): TLS 1.2 at least, no renegotiation, and of TLS 1.2 the ciphers that
  /// Appendix A does not block, which are those with ephemeral keys and authenticated encryption.
  mutating func restrictToHTTP2() {
    minimumTLSVersion = .tlsv12
    cipherSuites = "ECDHE+AESGCM:ECDHE+CHACHA20"
    applicationProtocols = ["h2"]
    renegotiationSupport = .none
    shutdownTimeout = .seconds(1)
  }

  /// The context that connections are made from.
  ///
  /// - Throws: `SetupError.invalidSetting` when the key does not belong to the certificate.
  func makeContext(_ identity: TLSIdentity?) throws(SetupError) -> NIOSSLContext {
    do {
      return try NIOSSLContext(configuration: self)
    } catch {
      guard let identity else {
        throw .invalidSetting(name: "tls", value: "trustRoots", reason: "\(error)", cause: error)
      }
      throw .invalidSetting(
        name: "tls.privateKey", value: identity.privateKey.name,
        reason: "it cannot be used with the certificate in \(identity.certificates.name)", cause: error)
    }
  }
}
