// SPDX-License-Identifier: Apache-2.0

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
}

/// The name of a certificate's subject or issuer, which NIOSSL does not tell.
struct DistinguishedName: CustomStringConvertible {
  /// Which name, by the number of fields before it: serial number, algorithm, issuer, validity.
  enum Field: Int { case issuer = 2, subject = 4 }

  /// Types ("CN", or numbers with dots) with their values.
  private(set) var attributes: [(type: String, value: String)] = []

  /// Reads a name out of a certificate in DER form (RFC 5280 §4.1), as far as it can be read.
  init(certificate: [UInt8], _ field: Field = .subject) {
    var outer = DERReader(certificate[...])
    guard var body = outer.next(0x30), var fields = body.next(0x30) else { return }
    if fields.tag == 0xA0 { _ = fields.next() }
    for _ in 0..<field.rawValue { _ = fields.next() }
    guard var name = fields.next(0x30) else { return }
    while var set = name.next(0x31) {
      while var pair = set.next(0x30) {
        guard let type = pair.next(0x06), let tag = pair.tag, let value = pair.next() else { break }
        // BMPString has two bytes a character, the others are ASCII or UTF-8 as they are in use.
        let text =
          tag == 0x1E
          ? String(decoding: Self.pairs(value.bytes), as: UTF16.self) : String(decoding: value.bytes, as: UTF8.self)
        attributes.append((Self.name(ofType: Array(type.bytes)), text))
      }
    }
  }

  var description: String {
    attributes.map { "\($0.type)=\(Self.escape($0.value))" }.joined(separator: ",")
  }

  private static func pairs(_ bytes: ArraySlice<UInt8>) -> [UInt16] {
    stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
  }

  /// RFC 4514 §2.4.
  private static func escape(_ value: String) -> String {
    var text = ""
    for (index, character) in value.enumerated() {
      let isEdge = index == 0 && character == "#" || (index == 0 || index == value.count - 1) && character == " "
      if isEdge || "\"+,;<>\\=".contains(character) { text += "\\" }
      text.append(character)
    }
    return text
  }

  private static let knownTypes: [[UInt8]: String] = [
    [0x55, 4, 3]: "CN", [0x55, 4, 5]: "serialNumber", [0x55, 4, 6]: "C", [0x55, 4, 7]: "L", [0x55, 4, 8]: "ST",
    [0x55, 4, 9]: "street", [0x55, 4, 10]: "O", [0x55, 4, 11]: "OU",
    [0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 1]: "UID",
    [0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 25]: "DC",
    [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1]: "emailAddress",
  ]

  private static func name(ofType type: [UInt8]) -> String {
    if let name = knownTypes[type] { return name }
    var numbers: [UInt64] = []
    var number: UInt64 = 0
    for byte in type {
      number = number << 7 | UInt64(byte & 127)
      guard byte & 128 == 0 else { continue }
      if numbers.isEmpty {
        let first = min(number / 40, 2)
        numbers = [first, number - first * 40]
      } else {
        numbers.append(number)
      }
      number = 0
    }
    return numbers.map { String($0) }.joined(separator: ".")
  }
}

/// Takes DER apart, value by value; what is cut off or too long has no next value.
struct DERReader {
  private(set) var bytes: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// What comes next, nil at the end.
  var tag: UInt8? { bytes.first }

  /// The contents of the next value, which has to be of this kind if one is given.
  mutating func next(_ wanted: UInt8? = nil) -> DERReader? {
    guard let tag, wanted == nil || tag == wanted, bytes.count >= 2 else { return nil }
    var rest = bytes.dropFirst()
    var count = Int(rest.removeFirst())
    if count >= 128 {
      let size = count & 127
      guard (1...4).contains(size), rest.count >= size else { return nil }
      count = rest.prefix(size).reduce(0) { $0 << 8 | Int($1) }
      rest = rest.dropFirst(size)
    }
    guard rest.count >= count else { return nil }
    bytes = rest.dropFirst(count)
    return DERReader(rest.prefix(count))
  }
}
