// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

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
}

/// Certificates or a private key in PEM form (RFC 7468), in a file or in memory.
public enum PEM: Sendable, Hashable {
  /// The path of a file of at most 4 MiB. It is read when a server or a channel is set up, and when its certificates are
  /// loaded again.
  case file(String)
  /// The text itself.
  case bytes([UInt8])

  /// The text itself.
  public static func text(_ text: String) -> PEM { .bytes(Array(text.utf8)) }

  private static let maxSize = 4 * 1024 * 1024

  /// How errors name it.
  var name: String {
    switch self {
    case .file(let path): path
    case .bytes(let bytes): "\(bytes.count) bytes"
    }
  }

  /// The text; `setting` is what an error says it is for.
  ///
  /// - Throws: `SetupError.invalidSetting` when the file cannot be read.
  func read(for setting: String) throws(SetupError) -> [UInt8] {
    switch self {
    case .bytes(let bytes): return bytes
    case .file(let path):
      guard let file = fopen(path, "re") else {
        throw .invalidSetting(name: setting, value: path, reason: String(cString: strerror(errno)))
      }
      defer { fclose(file) }
      var bytes: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 16 * 1024)
      while true {
        let count = fread(&piece, 1, piece.count, file)
        bytes += piece[..<count]
        guard count == piece.count else { break }
        guard bytes.count <= Self.maxSize else {
          throw .invalidSetting(name: setting, value: path, reason: "the file is larger than \(Self.maxSize) bytes")
        }
      }
      // A directory opens, and then cannot be read.
      guard ferror(file) == 0 else {
        throw .invalidSetting(name: setting, value: path, reason: String(cString: strerror(errno)))
      }
      return bytes
    }
  }

  /// What changes when the file is written or put in the place of another; nil when there is no file.
  var stamp: FileStamp? {
    if case .file(let path) = self { FileStamp(path) } else { nil }
  }
}
