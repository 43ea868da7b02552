// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonTransport

/// When a window grows.
struct WindowTunerTests {
  @Test func smallCallsMeasureNothing() {
    var tuner = WindowTuner(window: 1000, limit: 8000)
    let measures = tuner.received(249)
    #expect(!measures)
  }

  @Test func aFullRoundTripDoublesTheWindowUpToTheLimit() {
    var tuner = WindowTuner(window: 1000, limit: 3000)
    for expected in [2000, 3000] {
      let measures = tuner.received(1000)
      #expect(measures)
      let again = tuner.received(2000)
      #expect(!again, "one PING at a time")
      let window = tuner.measured()
      #expect(window == expected)
    }
    let measures = tuner.received(100_000)
    #expect(!measures, "there is nothing to be gained any more")
  }

  @Test func aRoundTripThatBringsLittleChangesNothing() {
    var tuner = WindowTuner(window: 1000, limit: 8000)
    _ = tuner.received(250)
    _ = tuner.received(600)
    var window = tuner.measured()
    #expect(window == nil)
    #expect(tuner.window == 1000)
    window = tuner.measured()
    #expect(window == nil, "an answer that nobody waits for")
  }
}
