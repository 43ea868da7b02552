// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import Taxon

struct ClientCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "client", abstract: "Make the calls that standard input asks for.",
    discussion: "Reads ClientCompatRequests and answers each with a ClientCompatResponse, until standard input ends.")

  /// The suite hands out all requests at once, and some have little time.
  private static let maxRunningCalls = 16

  func run() throws {
    let (requests, continuation) = AsyncThrowingStream<SuiteClientCompatRequest, any Error>.makeStream()
    Thread.detachNewThread {
      do {
        while let request = try SizedMessages.read(SuiteClientCompatRequest.self) { continuation.yield(request) }
        continuation.finish()
      } catch {
        continuation.finish(throwing: error)
      }
    }
    try waiting {
      let output = Locked(())
      try await withThrowingTaskGroup(of: Void.self) { group in
        var running = 0
        for try await request in requests {
          if running == Self.maxRunningCalls { try await group.next() } else { running += 1 }
          group.addTask {
            let response = await Self.response(to: request)
            try output.withLock { _ in try SizedMessages.write(response) }
          }
        }
        try await group.waitForAll()
      }
    }
  }

  private static func response(to request: SuiteClientCompatRequest) async -> SuiteClientCompatResponse {
    do {
      let channel = try Channel(request)
      defer { channel.shutDown() }
      return SuiteClientCompatResponse(
        testName: request.testName, result: .response(try await SuiteCall(request, by: channel).run()))
    } catch {
      return SuiteClientCompatResponse(testName: request.testName, result: .error(.init(message: "\(error)")))
    }
  }
}

extension Channel {
  /// A channel to the server that a request names.
  fileprivate convenience init(_ request: SuiteClientCompatRequest) throws {
    var configuration = Channel.Configuration(policy: .none)
    if !request.serverTlsCert.isEmpty {
      configuration.tls = ClientTLS(
        trustRoots: .pem(.bytes(request.serverTlsCert)), identity: request.clientTlsCreds?.identity)
    }
    if request.messageReceiveLimit > 0 { configuration.limits.maxMessageSize = Int(request.messageReceiveLimit) }
    let host = request.host.contains(":") ? "[\(request.host)]" : request.host
    try self.init("dns:///\(host):\(request.port)", configuration: configuration)
  }
}
