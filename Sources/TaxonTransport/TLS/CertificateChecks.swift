// SPDX-License-Identifier: Apache-2.0

/// What a certificate's extensions say it may be used for (RFC 5280 §4.2.1), which NIOSSL does not tell.
struct CertificateUsage {
  /// What the peer is that shows the certificate.
  enum Role { case server, client }

  /// The first byte of keyUsage; nil when the extension is missing.
  private var keyUsage: UInt8?
  private var isAuthority: Bool?
  private var purposes: [[UInt8]]?
  /// A critical extension that nobody here understands: such a certificate is to be refused (RFC 5280 §4.2).
  private var hasUnknownCritical = false

  private static let keyUsageID: [UInt8] = [0x55, 0x1D, 0x0F]
  private static let basicConstraintsID: [UInt8] = [0x55, 0x1D, 0x13]
  private static let extendedKeyUsageID: [UInt8] = [0x55, 0x1D, 0x25]
  /// Alternative names, which are read elsewhere, and policies, of which none is asked for.
  private static let harmless: Set<[UInt8]> = [[0x55, 0x1D, 0x11], [0x55, 0x1D, 0x20]]
  private static let anyPurpose: [UInt8] = [0x55, 0x1D, 0x25, 0]
  private static let serverPurpose: [UInt8] = [0x2B, 6, 1, 5, 5, 7, 3, 1]
  private static let clientPurpose: [UInt8] = [0x2B, 6, 1, 5, 5, 7, 3, 2]

  /// Reads the extensions of a certificate in DER form; nil when they cannot be read.
  init?(_ certificate: [UInt8]) {
    var outer = DERReader(certificate[...])
    guard var body = outer.next(0x30), var fields = body.next(0x30) else { return nil }
    while let tag = fields.tag, tag != 0xA3 { guard fields.next() != nil else { return nil } }
    guard fields.tag == 0xA3 else { return }
    guard var tagged = fields.next(), var extensions = tagged.next(0x30) else { return nil }
    while extensions.tag != nil {
      guard var entry = extensions.next(0x30), let id = entry.next(0x06) else { return nil }
      let isCritical = entry.tag == 0x01 && entry.next()?.bytes.contains { $0 != 0 } == true
      guard let value = entry.next(0x04), take(Array(id.bytes), value, isCritical: isCritical) else { return nil }
    }
  }

  /// False when the value is not what the extension has.
  private mutating func take(_ id: [UInt8], _ value: DERReader, isCritical: Bool) -> Bool {
    var value = value
    switch id {
    case Self.keyUsageID:
      // The first byte says how many bits of the last do not count.
      guard let bits = value.next(0x03), bits.bytes.count >= 2 else { return false }
      keyUsage = bits.bytes.dropFirst().first
    case Self.basicConstraintsID:
      guard var parts = value.next(0x30) else { return false }
      isAuthority = parts.tag == 0x01 && parts.next()?.bytes.contains { $0 != 0 } == true
    case Self.extendedKeyUsageID:
      guard var list = value.next(0x30) else { return false }
      var found: [[UInt8]] = []
      while list.tag != nil {
        guard let purpose = list.next(0x06) else { return false }
        found.append(Array(purpose.bytes))
      }
      purposes = found
    default:
      if isCritical, !Self.harmless.contains(id) { hasUnknownCritical = true }
    }
    return true
  }

  /// True when the certificate says that it signs no others.
  var isEndEntity: Bool {
    if let keyUsage, keyUsage & 0x04 == 0 { return true }
    return isAuthority == false
  }

  /// True when a peer of this kind may show the certificate: a key that signs the handshake, and a purpose that is
  /// named, if any is.
  func permits(_ role: Role) -> Bool {
    if hasUnknownCritical { return false }
    if let keyUsage, keyUsage & 0x80 == 0 { return false }
    guard let purposes else { return true }
    return purposes.contains(role == .server ? Self.serverPurpose : Self.clientPurpose)
      || purposes.contains(Self.anyPurpose)
  }
}
