// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
@preconcurrency import Dispatch
import Foundation
import Taxon

struct ServerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server",
    abstract: "Serve grpc.testing.TestService, failing.Failing and grpc.health.v1 until SIGTERM or SIGINT.",
    discussion: "Prints one line when it listens, such as \"listening on 0.0.0.0:10000\"; logs go to stderr.")

  @Option(help: "The name or address to listen on.") var host = "0.0.0.0"
  @Option(name: .flag("port"), help: "The port; 0 takes any free one.") var port = 10000
  @Option(name: .flag("use_tls"), defaultAsFlag: true, help: "Whether connections are encrypted.") var useTLS: Bool?
  @Option(name: .flag("tls_cert_file"), help: "The PEM file with the server's certificate.")
  var certificateFile: String?
  @Option(name: .flag("tls_key_file"), help: "The PEM file with the server's key.") var keyFile: String?
  @Flag(name: .customLong("tell_first_call"), help: "Print the line \"called\" when the first call comes.")
  var tellsFirstCall = false

  func validate() throws {
    if useTLS == true, certificateFile == nil || keyFile == nil {
      throw ValidationError("--use_tls needs --tls_cert_file and --tls_key_file")
    }
  }

  func run() throws { try waiting { try await serve() } }

  private func serve() async throws {
    var tls: ServerTLS?
    if useTLS == true, let certificateFile, let keyFile {
      tls = ServerTLS(certificateFile: certificateFile, keyFile: keyFile)
    }
    var configuration = Server.Configuration(host: host, port: port, tls: tls)
    if tellsFirstCall { configuration.interceptors = [FirstCallInterceptor()] }
    let health = HealthService()
    let server = Server(configuration, services: [InteropService(), FailingService(health: health), health])
    try await server.runUntilSignal(host: host)
  }
}

extension Server {
  /// Serves until SIGTERM or SIGINT. Prints one line when it listens.
  func runUntilSignal(host: String) async throws {
    let address = host.contains(":") ? "[\(host)]" : host
    let serving = Task {
      try await run { port in
        print("listening on \(address):\(port)")
        // Standard output may be a pipe with somebody at its end who waits for the line.
        fflush(nil)
      }
    }
    let signals = [SIGTERM, SIGINT].map { number in
      // The default disposition would end the process before the source hears of the signal.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      // A cancelled server shuts down gracefully.
      source.setEventHandler { serving.cancel() }
      source.resume()
      return source
    }
    try await serving.value
    for source in signals { source.cancel() }
  }
}

/// Says that there was a call: for tests that wait until a client has found the server.
private final class FirstCallInterceptor: ServerInterceptor {
  private let wasCalled = Locked(false)

  func intercept(_ call: ServerContext, next: () async throws -> Void) async throws {
    let isFirst = wasCalled.withLock { wasCalled in
      defer { wasCalled = true }
      return !wasCalled
    }
    if isFirst {
      print("called")
      fflush(nil)
    }
    try await next()
  }
}
