// SPDX-License-Identifier: Apache-2.0
#if TLS
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

extension ServerTLS {
  /// Reads the files.
  ///
  /// - Throws: `SetupError.invalidSetting` when one cannot be read, or the key is not the certificate's.
  func makeContext() throws(SetupError) -> TLSContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.restrictToHTTP2()
    configuration.applicationProtocols = ["h2", "http/1.1"]
    try identity.apply(to: &configuration)
    switch clientCertificates {
    case .none: configuration.certificateVerification = .none
    case .optional: configuration.certificateVerification = .optionalVerification
    case .required: configuration.certificateVerification = .noHostnameVerification
    }
    let roots = clientCertificates == .none ? .certificates([]) : try trustRoots.read()
    configuration.trustRoots = roots
    configuration.sendCANameList = clientCertificates != .none && trustRoots != .system
    return TLSContext(try configuration.makeContext(identity), pinned: PinnedCertificates(roots, role: .client))
  }
}

extension ClientTLS {
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

extension TLSIdentity {
  /// Puts the certificates and the key into a configuration.
  ///
  /// - Throws: `SetupError.invalidSetting` when they cannot be read.
  func apply(to configuration: inout TLSConfiguration) throws(SetupError) {
    configuration.certificateChain = try certificates.readCertificates(for: "tls.certificates").map {
      .certificate($0)
    }
    let bytes = try privateKey.read(for: "tls.privateKey")
    do {
      configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: bytes, format: .pem))
    } catch {
      throw .invalidSetting(
        name: "tls.privateKey", value: privateKey.name, reason: "it holds no PEM private key that is not encrypted",
        cause: error)
    }
  }
}

extension PEM {
  /// The certificates, at least one.
  ///
  /// - Throws: `SetupError.invalidSetting` when they cannot be read.
  func readCertificates(for setting: String) throws(SetupError) -> [NIOSSLCertificate] {
    let bytes = try read(for: setting)
    do {
      return try NIOSSLCertificate.fromPEMBytes(bytes)
    } catch {
      throw .invalidSetting(name: setting, value: name, reason: "it holds no PEM certificate", cause: error)
    }
  }
}

extension TrustRoots {
  /// What NIOSSL takes.
  ///
  /// - Throws: `SetupError.invalidSetting` when they cannot be read.
  func read() throws(SetupError) -> NIOSSLTrustRoots {
    switch self {
    case .system: .default
    case .pem(let pem): .certificates(try pem.readCertificates(for: "tls.trustRoots"))
    }
  }
}
#endif
