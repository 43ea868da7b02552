// SPDX-License-Identifier: Apache-2.0
import TaxonTesting
import Testing

@Suite struct ManualClockTests {
  @Test func sleepingPassesTheTimeAtOnce() async throws {
    let clock = ManualClock()
    try await clock.sleep(for: .seconds(60))
    #expect(clock.now.time == .seconds(60))
    #expect(clock.sleeps == [.seconds(60)])
  }

  @Test func sleepersMayWaitUntilTheClockGoesOn() async throws {
    let clock = ManualClock(sleepersWait: true)
    let sleep = Task { try await clock.sleep(for: .seconds(60)) }
    await clock.waitForSleepers()
    clock.advance(by: .seconds(59))
    #expect(clock.sleepers == 1)
    clock.advance(by: .seconds(1))
    try await sleep.value
    #expect(clock.sleepers == 0)
  }

  @Test func aCancelledSleeperWakes() async throws {
    let clock = ManualClock(sleepersWait: true)
    let sleep = Task { try await clock.sleep(for: .seconds(60)) }
    await clock.waitForSleepers()
    sleep.cancel()
    await #expect(throws: CancellationError.self) { try await sleep.value }
    #expect(clock.sleepers == 0)
  }
}
