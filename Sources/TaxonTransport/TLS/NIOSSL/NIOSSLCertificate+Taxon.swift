// SPDX-License-Identifier: Apache-2.0
#if TLS
import NIOCore
import NIOSSL

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension NIOSSLCertificate {
  /// What is wrong with a certificate that was not believed, as far as it can be seen: BoringSSL says no more than that
  /// it was not, and NIOSSL does not ask for more.
  func fault(at now: time_t, of role: CertificateUsage.Role) -> String {
    let bytes = (try? toDERBytes()) ?? []
    let subject = DistinguishedName(certificate: bytes).description
    if now > notValidAfter { return "the certificate of \(subject) expired on \(Self.text(notValidAfter))" }
    if now < notValidBefore {
      return "the certificate of \(subject) is not valid before \(Self.text(notValidBefore))"
    }
    if let usage = CertificateUsage(bytes), !usage.permits(role) {
      return "the certificate of \(subject) is not for a \(role)"
    }
    let issuer = DistinguishedName(certificate: bytes, .issuer).description
    return "no trusted authority has signed the certificate of \(subject), which \(issuer) has issued"
  }

  /// "2026-11-22 20:00:00 UTC".
  private static func text(_ time: time_t) -> String {
    var time = time
    var parts = tm()
    guard gmtime_r(&time, &parts) != nil else { return "\(time)" }
    func padded(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let day = "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1))-\(padded(parts.tm_mday))"
    return "\(day) \(padded(parts.tm_hour)):\(padded(parts.tm_min)):\(padded(parts.tm_sec)) UTC"
  }
}

extension PeerCertificate {
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
#endif
