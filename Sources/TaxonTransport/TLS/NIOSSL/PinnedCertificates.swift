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

/// Trusted certificates that cannot sign others: a peer is believed when it shows one of them (a partial chain, as
/// `openssl verify -partial_chain` has it).
///
/// BoringSSL refuses such a certificate because it looks for the authority that signed it, and NIOSSL cannot tell it
/// otherwise. A check of our own takes its place where no authority is trusted at all, so that no chain has to
/// build: the certificate is the very one that is trusted, it is valid now, and it is for this kind of peer. TLS proves
/// that the peer has the key, and the server's name is checked as ever, behind the handshake.
struct PinnedCertificates: Sendable {
  private let trusted: Set<[UInt8]>
  private let role: CertificateUsage.Role

  /// Nil when one of the certificates may have signed others, or there is none.
  ///
  /// - Parameter role: What the peer is that shows one.
  init?(_ roots: NIOSSLTrustRoots, role: CertificateUsage.Role) {
    guard case .certificates(let certificates) = roots, !certificates.isEmpty else { return nil }
    let all = certificates.compactMap { try? $0.toDERBytes() }
    guard all.count == certificates.count, all.allSatisfy({ CertificateUsage($0)?.isEndEntity == true }) else {
      return nil
    }
    trusted = Set(all)
    self.role = role
  }

  /// True when a peer that shows these certificates, its own first, is to be believed.
  func accepts(_ chain: [NIOSSLCertificate], at now: time_t) -> Bool {
    guard let leaf = chain.first, let bytes = try? leaf.toDERBytes(), trusted.contains(bytes) else { return false }
    return now >= leaf.notValidBefore && now <= leaf.notValidAfter && CertificateUsage(bytes)?.permits(role) == true
  }

  /// What NIOSSL calls in the place of its own check.
  var callback: NIOSSLCustomVerificationCallback {
    { chain, promise in promise.succeed(accepts(chain, at: time(nil)) ? .certificateVerified : .failed) }
  }
}
#endif
