// SPDX-License-Identifier: Apache-2.0

/// The certificates that are believed: those of authorities, for what they have signed, or a peer's own.
///
/// A peer's own certificate needs no right to sign others. Where all that are trusted are such, a peer must show the very
/// one, in its time and for its purpose. Beside authorities, one that has no right to sign is not believed: BoringSSL
/// looks for its authority.
public enum TrustRoots: Sendable, Hashable {
  /// Those of the operating system.
  case system
  /// These alone.
  case pem(PEM)

  /// Those in a PEM file alone.
  public static func file(_ path: String) -> TrustRoots { .pem(.file(path)) }

  /// The file that is to be watched, if there is one.
  var source: PEM? {
    if case .pem(let pem) = self { pem } else { nil }
  }
}
