// SPDX-License-Identifier: Apache-2.0
import Taxon
import TaxonFixtures
import Testing

/// The bounds of `Server.Configuration.http1`.
@Suite(.leavesNothing) struct HTTP1SettingsTests {
  typealias Change = @Sendable (inout HTTP1Configuration) -> Void

  private static func start(_ change: Change) async throws(SetupError) {
    var configuration = Server.Configuration(port: 0)
    change(&configuration.http1)
    let server = watched(Server(configuration, services: [], logger: quiet))
    try await server.start()
    await server.shutDown()
  }

  /// A change that is refused, and how the error names it.
  struct Wrong: Sendable {
    let name: String
    let value: String?
    let change: Change

    init(_ name: String, _ value: String?, _ change: @escaping Change) {
      (self.name, self.value, self.change) = (name, value, change)
    }
  }

  @Test(arguments: [
    Wrong("headTimeout", "0.0 seconds") { $0.headTimeout = .zero },
    Wrong("headTimeout", nil) { $0.headTimeout = .seconds(-1) },
    Wrong("headTimeout", nil) { $0.headTimeout = .microseconds(999) },
    Wrong("idleTimeout", nil) { $0.idleTimeout = .zero },
    Wrong("idleTimeout", nil) { $0.idleTimeout = .nanoseconds(1) },
    Wrong("bodyTimeout", nil) { $0.bodyTimeout = .zero },
    Wrong("minBodyRate", "-1") { $0.minBodyRate = -1 },
    Wrong("minBodyRate", "1000001") { $0.minBodyRate = 1_000_001 },
    Wrong("smallChunks.burst", "0") { $0.smallChunks.burst = 0 },
    Wrong("smallChunks.burst", "1000001") { $0.smallChunks.burst = 1_000_001 },
    Wrong("smallChunks.perSecond", "-1") { $0.smallChunks.perSecond = -1 },
    Wrong("smallChunks.perSecond", "1000001") { $0.smallChunks.perSecond = 1_000_001 },
    Wrong("unreadBodies.burst", "-5") { $0.unreadBodies.burst = -5 },
    Wrong("unreadBodies.perSecond", "9223372036854775807") { $0.unreadBodies.perSecond = .max },
  ])
  func whatIsOutOfBoundsIsASetupErrorThatNamesIt(_ wrong: Wrong) async {
    do throws(SetupError) {
      try await Self.start(wrong.change)
      Issue.record("no error")
    } catch .invalidSetting(let error) {
      #expect(error.name == "http1.\(wrong.name)")
      if let value = wrong.value { #expect(error.value == value) }
      #expect(!error.reason.isEmpty)
    } catch {
      Issue.record(error)
    }
  }

  private static let bounds: [Change] = [
    { $0.headTimeout = .milliseconds(1) }, { $0.idleTimeout = nil }, { $0.idleTimeout = .milliseconds(1) },
    { $0.bodyTimeout = .seconds(1_000_000_000) }, { $0.minBodyRate = 0 }, { $0.minBodyRate = 1_000_000 },
    { $0.smallChunks = .init(burst: 1, perSecond: 0) },
    { $0.unreadBodies = .init(burst: 1_000_000, perSecond: 1_000_000) },
  ]

  @Test(arguments: bounds.indices) func theBoundsAreTaken(_ index: Int) async throws {
    try await Self.start(Self.bounds[index])
  }
}
