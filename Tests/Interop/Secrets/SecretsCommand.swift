// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Logging
import Metrics
import Taxon

struct SecretsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "secrets",
    abstract: "Serve secrets.Secrets, whose errors have something to hide, until SIGTERM or SIGINT.",
    discussion: "Prints one line when it listens. Its log and its metrics go to stderr, the latter when they are made.")

  @Flag(help: "Write what is for debugging into the log, too.") var debug = false

  func run() throws { try waiting { try await serve() } }

  private func serve() async throws {
    MetricsSystem.bootstrap(PrintedMetrics())
    var configuration = Server.Configuration(host: "127.0.0.1", port: 0)
    configuration.interceptors = [MetricsInterceptor()]
    configuration.reflection = true
    var logger = Logger(label: "secrets")
    logger.logLevel = debug ? .trace : .info
    try await Server(configuration, services: [SecretsService()], logger: logger).runUntilSignal(host: "127.0.0.1")
  }
}
