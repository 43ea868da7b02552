// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Taxon

struct ServerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "server", abstract: "Serve connectrpc.conformance.v1.ConformanceService as standard input asks for.",
    discussion: "Reads one ServerCompatRequest, answers with a ServerCompatResponse and serves until it is ended.")

  @Flag(help: "Also speak plain JSON, of which the suite knows nothing: to it, errors of JSON are Connect's.")
  var json = false

  func run() throws {
    guard let request = try SizedMessages.read(SuiteServerCompatRequest.self) else { return }
    try waiting { try await serve(request) }
  }

  private func serve(_ request: SuiteServerCompatRequest) async throws {
    var configuration = Server.Configuration(port: 0)
    var response = SuiteServerCompatResponse(host: "127.0.0.1")
    if request.useTls {
      guard let own = request.serverCreds else { throw ValidationError("TLS needs a certificate") }
      configuration.tls = ServerTLS(identity: own.identity)
      if !request.clientTlsCert.isEmpty {
        configuration.tls?.clientCertificates = .required
        configuration.tls?.trustRoots = .pem(.bytes(request.clientTlsCert))
      }
      response.pemCert = own.cert
    }
    configuration.protocols = json ? [.grpcWeb, .connect, .json] : [.grpcWeb, .connect]
    // What requests are told as, and what errors have for details.
    configuration.json.registry = .connectrpcConformanceV1Service
    // The suite compares all that comes with an error.
    configuration.calls.details = .declaredOnly
    if request.messageReceiveLimit > 0 { configuration.calls.maxMessageSize = Int(request.messageReceiveLimit) }
    try await Server(configuration, services: [ConformanceService()]).run { [response] port in
      var response = response
      response.port = UInt32(port)
      // It cannot be written when the suite is gone, which then ends this process too.
      try? SizedMessages.write(response)
    }
  }
}

extension SuiteTLSCreds {
  /// The certificate and the key, for a server or for a client.
  var identity: TLSIdentity { TLSIdentity(certificates: .bytes(cert), privateKey: .bytes(key)) }
}
