// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOSSL

/// The certificate that the other end of a connection showed, and that was found good.
public struct PeerCertificate: Sendable, Hashable {
  /// A name that the certificate is for (RFC 5280 §4.2.1.6).
  public enum Name: Sendable, Hashable, CustomStringConvertible {
    /// A DNS name, perhaps with a star in the place of its first label.
    case dns(String)
    /// A URI, such as a SPIFFE identity.
    case uri(String)
    /// A mail address.
    case email(String)
    /// An IP address, 4 or 16 bytes.
    case address([UInt8])

    /// As OpenSSL writes it: "DNS:…", "URI:…", "email:…", "IP Address:…".
    public var description: String {
      switch self {
      case .dns(let name): "DNS:\(name)"
      case .uri(let uri): "URI:\(uri)"
      case .email(let address): "email:\(address)"
      case .address(let bytes) where bytes.count == 4:
        "IP Address:\(bytes.map { String($0) }.joined(separator: "."))"
      case .address(let bytes):
        "IP Address:\(Self.pairs(bytes).map { String($0, radix: 16) }.joined(separator: ":"))"
      }
    }

    private static func pairs(_ bytes: [UInt8]) -> [Int] {
      stride(from: 0, to: bytes.count - 1, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
    }
  }

  /// Whose certificate it is, as RFC 4514 writes names but in the certificate's order: "C=DE,O=Example,CN=billing".
  public let subject: String
  /// The subject's last common name, if it has one.
  public let commonName: String?
  /// The subject's alternative names, in the certificate's order.
  public let names: [Name]
  /// The whole certificate, in DER form.
  public let derBytes: [UInt8]

  /// A certificate, for tests that call a service's methods without a server.
  public init(subject: String, commonName: String? = nil, names: [Name] = [], derBytes: [UInt8] = []) {
    self.subject = subject
    self.commonName = commonName
    self.names = names
    self.derBytes = derBytes
  }

  /// The certificate that the peer of a channel has shown; nil when there is none. On the channel's loop, once the
  /// handshake is over.
  package init?(of channel: any Channel) {
    guard let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate() else { return nil }
    self.init(certificate)
  }

  init(_ certificate: NIOSSLCertificate) {
    derBytes = (try? certificate.toDERBytes()) ?? []
    let attributes = DistinguishedName(certificate: derBytes)
    subject = attributes.description
    commonName = attributes.attributes.last { $0.type == "CN" }?.value
    names = certificate._subjectAlternativeNames().compactMap { name in
      let bytes = Array(name.contents)
      return switch name.nameType {
      case .dnsName: .dns(String(decoding: bytes, as: UTF8.self))
      case .uri: .uri(String(decoding: bytes, as: UTF8.self))
      case .email: .email(String(decoding: bytes, as: UTF8.self))
      case .ipAddress: .address(bytes)
      default: nil
      }
    }
  }
}
