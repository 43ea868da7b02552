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

extension ConnectionFailure {
  /// Sorts an error of NIOSSL's that came up in a channel; nil for another one. On the channel's loop.
  ///
  /// - Parameter role: Which end of the connection this is.
  static func ofTLS(_ error: any Error, on channel: any Channel, as role: HTTP2Session.Role) -> ConnectionFailure? {
    guard error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError else { return nil }
    guard text(error).contains("CERTIFICATE_VERIFY_FAILED"),
      let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate()
    else { return .tls(text(error)) }
    let fault = certificate.fault(at: time(nil), of: role == .client ? .server : .client)
    return .untrusted("CERTIFICATE_VERIFY_FAILED: \(fault)")
  }

  private static func text(_ error: any Error) -> String {
    if let error = error as? NIOSSLError {
      switch error {
      case .handshakeFailed(.sslError(let stack)), .shutdownFailed(.sslError(let stack)):
        return reasons(stack.map(\.description))
      case .uncleanShutdown: return "the connection broke"
      case .noCertificateToValidate: return "the peer has shown no certificate"
      default: break
      }
    }
    if case .sslError(let stack)? = error as? BoringSSLError { return reasons(stack.map(\.description)) }
    return "\(error)"
  }

  private static func reasons(_ stack: [String]) -> String {
    let reasons = stack.map(reason).joined(separator: ", ")
    // What BoringSSL says of a record that is none.
    return reasons.contains("WRONG_VERSION_NUMBER") ? "\(reasons) (what the peer says is no TLS)" : reasons
  }

  /// BoringSSL says "Error: 268435703 error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER at …:123".
  private static func reason(_ text: String) -> String {
    guard let part = text.split(separator: ":").last(where: { $0.contains(" at ") }) ?? text.split(separator: ":").last
    else { return text }
    return part.split(separator: " at ").first.map(String.init) ?? text
  }
}
#endif
