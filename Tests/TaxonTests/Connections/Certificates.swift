// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Certificates of a test's own authority, made by OpenSSL once per run.
struct Certificates: Sendable {
  let folder: String

  static let shared: Certificates = {
    do {
      return try Certificates()
    } catch {
      fatalError("the tests need openssl: \(error)")
    }
  }()

  private init() throws {
    folder = try Self.makeFolder()
    try openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
      "/O=Taxon tests/CN=Test authority", "-keyout", "authority.key", "-out", "authority.pem")
    try openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
      "/CN=Stranger", "-keyout", "stranger.key", "-out", "stranger.pem")
    try issue("server", "/O=Taxon tests/CN=server", names: "DNS:localhost,DNS:server.test,IP:127.0.0.1")
    try issue("renewed", "/O=Taxon tests/CN=renewed", names: "DNS:localhost,DNS:server.test,IP:127.0.0.1")
    try issue("expired", "/O=Taxon tests/CN=expired", names: "DNS:localhost,IP:127.0.0.1", days: -1)
    try pin("pinned")
    try pin("pinned-other")
    try pin("pinned-expired", days: -1)
    try pin("pinned-client", extra: ["extendedKeyUsage=clientAuth"])
    try pin("pinned-odd", extra: ["1.2.3.4=critical,ASN1:UTF8String:odd"])
    try issue("client", "/C=DE/O=Taxon, tests/CN=client", names: "DNS:client.test,URI:spiffe://taxon.dev/client")
  }

  /// A certificate that signs itself and may sign no other.
  private func pin(_ name: String, key: String? = nil, days: Int = 2, extra: [String] = []) throws {
    if key == nil {
      try openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", "\(name).key")
    }
    let lines =
      [
        "subjectAltName=DNS:localhost,DNS:client.test,IP:127.0.0.1", "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
      ] + extra
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: path("\(name).ext")))
    try openssl(
      "req", "-new", "-key", "\(key ?? name).key", "-subj", "/CN=pinned", "-out", "\(name).csr")
    try openssl(
      "x509", "-req", "-in", "\(name).csr", "-signkey", "\(key ?? name).key", "-days", "\(days)", "-extfile",
      "\(name).ext", "-out", "\(name).pem")
  }

  /// A new folder, for files that a test changes.
  static func makeFolder() throws -> String {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("taxon-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url.path
  }

  var authority: String { path("authority.pem") }

  func path(_ file: String) -> String { "\(folder)/\(file)" }

  private func issue(_ name: String, _ subject: String, names: String, days: Int = 2) throws {
    try Data("subjectAltName=\(names)\nbasicConstraints=CA:FALSE\n".utf8)
      .write(to: URL(fileURLWithPath: path("\(name).ext")))
    try openssl(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject, "-keyout",
      "\(name).key", "-out", "\(name).csr")
    try openssl(
      "x509", "-req", "-in", "\(name).csr", "-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial",
      "-days", "\(days)", "-extfile", "\(name).ext", "-out", "\(name).pem")
  }

  private struct Failure: Error {
    let arguments: [String]
    let status: Int32
  }

  private func openssl(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(arguments: arguments, status: process.terminationStatus)
    }
  }
}
