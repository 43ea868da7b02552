// SPDX-License-Identifier: Apache-2.0
import TaxonErrors

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension CoverageReport {
  /// The variable that names the file for `appendIfAsked`.
  public static let variable = "TAXON_ERROR_COVERAGE"

  /// Adds the report to the file that the environment names in `TAXON_ERROR_COVERAGE`, if it does. Several processes may add to one
  /// file; `init(contentsOf:)` merges what they wrote.
  ///
  /// - Throws: `SetupError.invalidSetting` when the file cannot be written.
  public func appendIfAsked() throws(SetupError) {
    guard let path = getenv(Self.variable).map({ String(cString: $0) }), !path.isEmpty else { return }
    try append(to: path)
  }

  /// Adds the report to the end of a file, which is made if there is none: a line for each error, with the method, domain and code of
  /// the error, and the count, with tabs between.
  ///
  /// - Throws: `SetupError.invalidSetting` when the file cannot be written.
  public func append(to path: String) throws(SetupError) {
    let text = entries.map { "\($0.method)\t\($0.error)\t\($0.count)\n" }.joined()
    let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw Self.refusal(path) }
    defer { close(file) }
    // In one piece where the system can, so that processes do not write into each other's lines.
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.refusal(path) }
      rest = rest.dropFirst(count)
    }
  }

  /// The report of a file, to which one process or several have added theirs.
  ///
  /// - Throws: `SetupError.invalidSetting` when the file cannot be read, or is no such file.
  public init(contentsOf path: String) throws(SetupError) {
    let text = String(decoding: try Self.bytes(of: path), as: UTF8.self)
    var entries: [Entry] = []
    for (index, line) in text.split(separator: "\n").enumerated() {
      let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
      let names = parts.count == 3 ? parts[1].split(separator: "/", maxSplits: 1) : []
      guard names.count == 2, let count = Int(parts[2]), count >= 0 else {
        throw .invalidSetting(name: Self.variable, value: path, reason: "line \(index + 1) is not one of a report")
      }
      entries.append(
        Entry(
          method: String(parts[0]), error: ErrorIdentity(domain: String(names[0]), code: String(names[1])), count: count
        ))
    }
    self.init(entries)
  }

  private static func bytes(of path: String) throws(SetupError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw refusal(path) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw refusal(path) }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }

  private static func refusal(_ path: String) -> SetupError {
    .invalidSetting(name: variable, value: path, reason: String(cString: strerror(errno)))
  }
}
