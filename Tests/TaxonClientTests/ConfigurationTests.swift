// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonResilience
import TaxonTransport
import Testing

@testable import TaxonClient

/// The bounds of a channel's settings.
struct ConfigurationTests {
  private static let bad: [(name: String, change: @Sendable (inout Channel.Configuration) -> Void)] = [
    ("connectTimeout", { $0.connectTimeout = .zero }), ("resolutionInterval", { $0.resolutionInterval = .seconds(-1) }),
    ("backoff.base", { $0.backoff.base = .zero }), ("backoff.cap", { $0.backoff.cap = .milliseconds(1) }),
    ("keepalive.time", { $0.keepalive.time = .seconds(9) }),
    ("keepalive.timeout", { $0.keepalive.timeout = .zero }), ("idleTimeout", { $0.idleTimeout = .milliseconds(1) }),
    ("maxWaitingCalls", { $0.maxWaitingCalls = 0 }),
    ("limits.maxMessageSize", { $0.limits.maxMessageSize = 0 }),
    ("limits.maxHeaderListSize", { $0.limits.maxHeaderListSize = -1 }),
    ("http2.maxFrameSize", { $0.http2.maxFrameSize = 16_383 }),
    ("http2.streamWindow", { $0.http2.streamWindow = 1 << 31 }),
    ("http2.connectionWindow", { $0.http2.connectionWindow = 65_534 }), ("authority", { $0.authority = "a b" }),
    ("authority", { $0.authority = "" }),
  ]

  @Test(arguments: Self.bad.indices) func aSettingOutOfItsBoundsIsASetupError(_ index: Int) {
    let (name, change) = Self.bad[index]
    var configuration = Channel.Configuration()
    change(&configuration)
    do throws(SetupError) {
      _ = try Channel("localhost:1", configuration: configuration)
      Issue.record("no error for \(name)")
    } catch {
      guard case .invalidSetting(let error) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(error.name == name)
    }
  }

  @Test func theSettingsAsTheyAreAndAtTheirBoundsAreGood() throws {
    var configuration = Channel.Configuration()
    try configuration.check()
    configuration.keepalive.time = .seconds(10)
    configuration.keepalive.timeout = .seconds(1)
    configuration.idleTimeout = nil
    configuration.resolutionInterval = .zero
    configuration.backoff.cap = configuration.backoff.base
    configuration.authority = "orders.example.com:8443"
    try configuration.check()
  }
}
