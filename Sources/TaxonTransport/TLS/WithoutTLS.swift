// SPDX-License-Identifier: Apache-2.0
#if !TLS
import Logging
import NIOCore
import TaxonErrors

// What is left of TLS in a build without the trait "TLS": its settings are there, and nobody can set up anything with them.

/// Has no certificates, and nobody can make one.
package struct TLSContextSource: Sendable {
  /// - Throws: `SetupError.invalidSetting`.
  package init(_ tls: ServerTLS, logger: Logger) throws(SetupError) { throw Self.isMissing }

  /// - Throws: `SetupError.invalidSetting`.
  package init(_ tls: ClientTLS, logger: Logger) throws(SetupError) { throw Self.isMissing }

  private static var isMissing: SetupError {
    .invalidSetting(
      name: "tls", value: "set",
      reason: "Taxon was built without its trait \"TLS\"; have it in the traits of the package's dependency on taxon")
  }

  package func reload() throws(SetupError) {}
  package func watch(every interval: Duration) async {}
  package func addServerHandler(to channel: any Channel) throws {}
  package func addClientHandler(to channel: any Channel, serverName: String?) throws {}
}

extension PeerCertificate {
  /// Nil: nobody shows a certificate.
  package init?(of channel: any Channel) { return nil }
}

extension ConnectionFailure {
  /// Nil: no error is of TLS.
  static func ofTLS(_ error: any Error, on channel: any Channel, as role: HTTP2Session.Role) -> ConnectionFailure? {
    nil
  }
}
#endif
