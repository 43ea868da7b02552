// SPDX-License-Identifier: Apache-2.0
#if TLS
import Logging
import NIOCore
import NIOSSL
import TaxonErrors
import TaxonProtobuf

/// Has the certificates with which new connections begin, and reads them again when it is told to or when their files
/// change. A file that cannot be used changes nothing.
package final class TLSContextSource: Sendable {
  private struct State {
    var context: TLSContext
    var stamps: [FileStamp?]
  }

  private let make: @Sendable () throws(SetupError) -> TLSContext
  private let sources: [PEM]
  private let state: Locked<State>
  private let logger: Logger
  /// Whether a client compares names.
  private let verifiesName: Bool

  private init(
    sources: [PEM], verifiesName: Bool, logger: Logger,
    make: @escaping @Sendable () throws(SetupError) -> TLSContext
  ) throws(SetupError) {
    self.sources = sources
    self.verifiesName = verifiesName
    self.logger = logger
    self.make = make
    // Before the files are read: one that changes meanwhile is read once too often rather than not at all.
    let stamps = sources.map(\.stamp)
    state = Locked(State(context: try make(), stamps: stamps))
  }

  /// Reads a server's files. Blocks while it does.
  ///
  /// - Throws: `SetupError.invalidSetting` when one cannot be used.
  package convenience init(_ tls: ServerTLS, logger: Logger) throws(SetupError) {
    try Self.check(tls.reloadInterval)
    try self.init(sources: tls.sources, verifiesName: false, logger: logger) {
      () throws(SetupError) in try tls.makeContext()
    }
  }

  /// Reads a client's files. Blocks while it does.
  ///
  /// - Throws: `SetupError.invalidSetting` when one cannot be used.
  package convenience init(_ tls: ClientTLS, logger: Logger) throws(SetupError) {
    try Self.check(tls.reloadInterval)
    try self.init(sources: tls.sources, verifiesName: tls.verification == .full, logger: logger) {
      () throws(SetupError) in try tls.makeContext()
    }
  }

  private static func check(_ interval: Duration?) throws(SetupError) {
    if let interval, interval < .milliseconds(1) {
      throw .invalidSetting(name: "tls.reloadInterval", value: "\(interval)", reason: "it must be 1 ms or more")
    }
  }

  /// What a new connection is made from.
  var context: TLSContext { state.withLock { $0.context } }

  /// Reads the files again, for connections that begin from now on. Blocks while it does.
  ///
  /// - Throws: `SetupError.invalidSetting` when one cannot be used; the certificates stay as they are then.
  package func reload() throws(SetupError) {
    let stamps = sources.map(\.stamp)
    // A state of the files is tried once, whether it is good or not.
    state.withLock { $0.stamps = stamps }
    let context = try make()
    state.withLock { $0.context = context }
    logger.info("certificates loaded again", metadata: ["files": "\(sources.map(\.name).joined(separator: ", "))"])
  }

  /// Reads the files again if one has changed; one that cannot be used is logged.
  package func reloadIfChanged() {
    let stamps = sources.map(\.stamp)
    guard state.withLock({ $0.stamps != stamps }) else { return }
    do throws(SetupError) {
      try reload()
    } catch {
      logger.error(
        "certificates cannot be loaded again; those from before stay", metadata: ["error": "\(error.message)"])
    }
  }

  /// Looks at the files again and again until the task is cancelled.
  package func watch(every interval: Duration) async {
    while (try? await Task.sleep(for: interval)) != nil { reloadIfChanged() }
  }

  /// Puts a server's end of TLS into a channel's pipeline. To be called on the channel's loop.
  package func addServerHandler(to channel: any Channel) throws {
    try channel.pipeline.syncOperations.addHandler(try context.makeServerHandler())
  }

  /// Puts a client's end of TLS into a channel's pipeline. To be called on the channel's loop.
  ///
  /// - Parameter serverName: The name that the server's certificate has to be for; nil, or an address, when it has to be
  ///   for the address that the channel is connected to.
  package func addClientHandler(to channel: any Channel, serverName: String?) throws {
    let name = serverName.flatMap { Self.isServerName($0) ? $0 : nil }
    try channel.pipeline.syncOperations.addHandler(try context.makeClientHandler(serverHostname: name))
    if verifiesName, let name { try channel.pipeline.syncOperations.addHandler(ServerNameCheck(name: name)) }
  }

  /// True when SNI can carry the name (RFC 6066 §3): a DNS name, and no address.
  static func isServerName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 255 && name.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ":") }
      && (try? SocketAddress(ipAddress: name, port: 0)) == nil
  }
}
#endif
