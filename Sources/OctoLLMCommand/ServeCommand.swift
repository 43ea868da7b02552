// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
@preconcurrency import Dispatch
import Foundation
import Logging
import OctoLLM
import Taxon
import TaxonTesting

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serve tasks until SIGTERM or SIGINT.",
    discussion: "Prints one line when it listens, such as \"listening on 127.0.0.1:50051\"; logs go to stderr.")

  @Option(help: "The name or address to listen on.") var host = "127.0.0.1"
  @Option(help: "The port; 0 takes any free one.") var port = 50051
  @Option(help: "The file to keep tasks in; without it they are kept in memory.") var database: String?
  @Option(help: "A copy of the database to read from when the database fails.") var replica: String?
  @Option(help: "How many threads serve connections; by default one a core.") var threads: Int?
  @Option(help: "The bearer token that calls must have; without it everybody may call.") var token: String?
  @Option(help: "A bearer token with which calls may read, and no more.") var readOnlyToken: String?
  @Option(help: "An origin whose pages may call from browsers, such as https://app.example.com; may be repeated.")
  var corsOrigin: [String] = []
  @Option(help: "A file with the server's certificate, in PEM; with it the server speaks TLS.")
  var tlsCertificate: String?
  @Option(help: "A file with the certificate's private key, in PEM.") var tlsKey: String?
  @Flag(help: "Also serve Rehearsal, which raises any error on demand.") var rehearsal = false
  @Flag(help: "Let callers ask for faults by headers (taxon-fault, x-envoy-fault-…). Not for production.")
  var faultHeaders = false
  @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel = Logger.Level.info

  func validate() throws {
    if readOnlyToken != nil, token == nil {
      throw ArgumentParser.ValidationError("--read-only-token needs --token, or nobody could write")
    }
    if (tlsCertificate == nil) != (tlsKey == nil) {
      throw ArgumentParser.ValidationError("--tls-certificate and --tls-key go together")
    }
  }

  func run() throws {
    let level = logLevel
    LoggingSystem.bootstrap { label in
      var handler = StreamLogHandler.standardError(label: label)
      handler.logLevel = level
      return handler
    }
    do {
      try waiting { try await serve() }
    } catch let error as any TaxonomyError {
      var text = "octollm: \(error.message)"
      // Here, in the process itself, the cause may be said; that of a taken address is in the message already.
      if let cause = error.cause, !error.message.contains("\(cause)") { text += "\n  because of \(cause)" }
      FileHandle.standardError.write(Data("\(text)\n".utf8))
      throw ExitCode.failure
    }
  }

  private func serve() async throws {
    let store = try TaskStore(path: database)
    let interrupted = try await store.requeueInterrupted()
    if interrupted > 0 {
      Logger(label: "octollm").notice("interrupted tasks are pending again", metadata: ["tasks": "\(interrupted)"])
    }
    var services: [any RPCService] = [
      OrchestratorService(
        store: store, replica: try replica.map { path throws(SystemError) in try TaskStore(replica: path) },
        access: access),
      ReflexService(),
    ]
    if rehearsal { services.append(RehearsalService()) }
    let health = HealthService(serving: Reflex.name)
    services.append(health)
    let storeHealth = StoreHealth(of: Orchestrator.name, on: store, in: health)
    await storeHealth.check()
    let checking = Task { await storeHealth.watch() }
    defer { checking.cancel() }
    var configuration = Server.Configuration(host: host, port: port, threads: threads)
    if let tlsCertificate, let tlsKey {
      configuration.tls = ServerTLS(certificateFile: tlsCertificate, keyFile: tlsKey)
    }
    configuration.reflection = true
    configuration.calls.requestIDHeader = "x-request-id"
    if !corsOrigin.isEmpty {
      configuration.cors = CORSSettings(origins: Set(corsOrigin))
      configuration.cors?.allowedHeaders = ["authorization"]
    }
    configuration.interceptors = [MetricsInterceptor(prefix: "octollm")]
    if faultHeaders {
      var faults = FaultInjector.Configuration()
      faults.headers = .allowed
      faults.samples = SampleErrors.all
      configuration.interceptors.append(try FaultInjector(faults))
    }
    let server = Server(configuration, services: services)
    let address = host.contains(":") ? "[\(host)]" : host
    let serving = Task {
      try await server.run { port in
        print("listening on \(address):\(port)")
        // Standard output may be a pipe whose reader waits for the line.
        fflush(nil)
      }
    }
    // A cancelled server shuts down gracefully.
    let signals = ShutdownSignals { serving.cancel() }
    defer { signals.stop() }
    try await serving.value
  }

  private var access: Access {
    guard let token else { return .open }
    var tokens = [token: Access.Caller("owner")]
    if let readOnlyToken { tokens[readOnlyToken] = Access.Caller("reader", mayWrite: false) }
    return Access(tokens: tokens)
  }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}

/// Does something when the process is asked to end: SIGTERM (a supervisor) or SIGINT (Control-C).
///
/// It is done once; a second signal ends the process as it would have without this.
final class ShutdownSignals: Sendable {
  private let sources: [any DispatchSourceSignal]

  init(_ body: @escaping @Sendable () -> Void) {
    let signals = [SIGTERM, SIGINT]
    sources = signals.map { number in
      // The default disposition would end the process before the source hears of the signal.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        for number in signals { signal(number, SIG_DFL) }
        body()
      }
      source.resume()
      return source
    }
  }

  func stop() {
    for source in sources { source.cancel() }
  }
}
