// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Taxon

struct ClientCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "client", abstract: "Run test cases against a server; the exit code is 0 when all of them pass.")

  @Option(name: .flag("server_host"), help: "The server's name or address.") var host = "localhost"
  @Option(name: .flag("server_port"), help: "The server's port.") var port: Int
  @Option(name: .flag("server_host_override"), help: "The name that the server's certificate is for.") var name: String?
  @Option(name: .flag("test_case"), help: "A case, several with commas between them, or all.") var cases: String
  @Option(name: .flag("use_tls"), defaultAsFlag: true, help: "Whether to encrypt.") var useTLS: Bool?
  @Option(name: .flag("ca_file"), help: "The PEM file with the authorities to trust, instead of the system's.")
  var authorities: String?

  func validate() throws { _ = try selected() }

  func run() throws {
    let cases = try selected()
    try waiting {
      var tls: ClientTLS?
      if useTLS == true {
        tls = ClientTLS(trustRoots: authorities.map { .file($0) } ?? .system, serverName: name)
      }
      let address = host.contains(":") ? "[\(host)]" : host
      let channel = try Channel("dns:///\(address):\(port)", policy: .none, tls: tls)
      defer { channel.shutDown() }
      let client = InteropClient(channel)
      var failed = 0
      for each in cases {
        do {
          try await each.run(client)
          print("\(each.rawValue): passed")
        } catch {
          failed += 1
          print("\(each.rawValue): FAILED: \(error)")
        }
      }
      if failed > 0 { throw ExitCode.failure }
    }
  }

  private func selected() throws -> [InteropCase] {
    if cases == "all" { return InteropCase.allCases }
    return try cases.split(separator: ",").map { name in
      guard let found = InteropCase(rawValue: String(name)) else {
        let all = InteropCase.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("there is no test case \(name); there are \(all)")
      }
      return found
    }
  }
}
