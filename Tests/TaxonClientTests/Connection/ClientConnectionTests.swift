// SPDX-License-Identifier: Apache-2.0
import NIOEmbedded
import TaxonCalls
import TaxonTransport
import Testing

@testable import TaxonClient

struct ClientConnectionTests {
  @Test func whatIsKeptOfPathsHasABound() {
    let settings = ConnectionSettings(
      target: "test", authority: "test", configuration: TaxonClient.Channel.Configuration())
    let channel = EmbeddedChannel()
    defer { _ = try? channel.finish() }
    let connection = ClientConnection(channel: channel, settings: settings)
    func head(_ path: String) -> HeaderBlock {
      connection.heads.head(path: path, timeout: nil, metadata: Metadata(), compression: nil)
    }
    var most = 0
    for number in 0..<10_000 {
      _ = head("/made.up/Method\(number)")
      most = max(most, connection.heads.count)
    }
    #expect((1...256).contains(most))
    // One that is known is not made again.
    let known = head("/known/Method")
    _ = head("/other/Method")
    #expect(head("/known/Method") === known)
  }
}
