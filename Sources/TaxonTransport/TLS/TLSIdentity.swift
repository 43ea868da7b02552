// SPDX-License-Identifier: Apache-2.0
import NIOSSL
import TaxonErrors

/// What an end of a connection proves itself with: its certificate, those of the authorities between it and the root,
/// and its private key.
public struct TLSIdentity: Sendable, Hashable {
  /// The end's own certificate first, then each one's issuer; the root may be left out.
  public var certificates: PEM
  /// The key of the first certificate, not encrypted.
  public var privateKey: PEM

  /// An identity; nothing is read before it is used.
  public init(certificates: PEM, privateKey: PEM) {
    self.certificates = certificates
    self.privateKey = privateKey
  }

  /// An identity in two PEM files, which are read when it is used.
  public init(certificateFile: String, keyFile: String) {
    self.init(certificates: .file(certificateFile), privateKey: .file(keyFile))
  }

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
