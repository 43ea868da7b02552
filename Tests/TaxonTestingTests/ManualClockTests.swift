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
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    let clock = ManualClock(sleepersWait: true, onSleep: { continuation.yield() })
    let sleep = Task { try await clock.sleep(for: .seconds(60)) }
    for await _ in stream { break }
    while clock.sleepers == 0 { await Task.yield() }
    clock.advance(by: .seconds(59))
    #expect(clock.sleepers == 1)
    clock.advance(by: .seconds(1))
    try await sleep.value
    #expect(clock.sleepers == 0)
  }

  @Test func aCancelledSleeperWakes() async throws {
    let clock = ManualClock(sleepersWait: true)
    let sleep = Task { try await clock.sleep(for: .seconds(60)) }
    while clock.sleepers == 0 { await Task.yield() }
    sleep.cancel()
    await #expect(throws: CancellationError.self) { try await sleep.value }
    #expect(clock.sleepers == 0)
  }
}
