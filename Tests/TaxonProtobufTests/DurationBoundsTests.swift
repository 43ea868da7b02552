// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import Testing

/// Durations and times that a peer or a caller may send, and that are none of protobuf's.
@Suite struct DurationBoundsTests {
  private static let most = Google_Protobuf_Duration(seconds: 315_576_000_000, nanos: 999_999_999)
  private static let least = Google_Protobuf_Duration(seconds: -315_576_000_000, nanos: -999_999_999)

  @Test(arguments: [
    (Google_Protobuf_Duration(seconds: .max, nanos: .max), most), (.init(seconds: .min, nanos: .min), least),
    (.init(seconds: 315_576_000_001), most), (.init(seconds: 10_000_000_000), .init(seconds: 10_000_000_000)),
    (.init(seconds: 1, nanos: 2_000_000_000), .init(seconds: 3)),
    (.init(seconds: 5, nanos: -500_000_000), .init(seconds: 4, nanos: 500_000_000)),
    (.init(seconds: -5, nanos: 500_000_000), .init(seconds: -4, nanos: -500_000_000)),
    (most, most), (least, least), (.init(), .init()),
  ])
  func aPeersDurationIsBroughtIntoBounds(_ sent: Google_Protobuf_Duration, _ nearest: Google_Protobuf_Duration) {
    #expect(Google_Protobuf_Duration(Duration(sent)) == nearest)
    #expect(nearest.isInBounds)
    #expect(sent.isInBounds == (sent == nearest))
  }

  @Test(arguments: [
    (Duration.seconds(1e20), most), (.zero - .seconds(1e20), least), (.seconds(Int64.max), most),
    (.seconds(Int64.min), least), (.milliseconds(-1500), .init(seconds: -1, nanos: -500_000_000)),
  ])
  func aDurationOfSwiftsIsBroughtIntoBounds(_ duration: Duration, _ nearest: Google_Protobuf_Duration) {
    #expect(Google_Protobuf_Duration(duration) == nearest)
  }

  @Test(arguments: [
    (Double.nan, Duration.zero), (.infinity, .longest), (-.infinity, .zero - .longest), (1e300, .longest),
    (-1e300, .zero - .longest), (1.5, .milliseconds(1500)),
  ])
  func anyNumberOfSecondsIsADuration(_ seconds: Double, _ duration: Duration) {
    #expect(Duration(boundedSeconds: seconds) == duration)
  }

  @Test(arguments: [
    (Duration.seconds(1e20), Int64.max), (.zero - .seconds(1e20), .min), (.longest, .max),
    (.nanoseconds(Int64.max), .max),
    (.nanoseconds(Int64.min), .min), (.nanoseconds(Int64.min) + .nanoseconds(1), .min + 1),
    (.milliseconds(-1500), -1_500_000_000),
  ])
  func nanosecondsEndWhere64BitsDo(_ duration: Duration, _ nanoseconds: Int64) {
    #expect(duration.clampedNanoseconds == nanoseconds)
  }

  @Test(arguments: [
    (Duration.zero, 0, 0), (.seconds(-3), 0, 0), (.nanoseconds(1), 1, 1), (.milliseconds(1500), 2, 1500),
    (.seconds(2), 2, 2000), (.milliseconds(Int32.max), 2_147_484, Int64(Int32.max)),
    (.seconds(1e20), 315_576_000_001, Int64(Int32.max)), (.zero - .seconds(1e20), 0, 0),
  ])
  func aWaitIsRoundedUp(_ duration: Duration, _ seconds: Int64, _ milliseconds: Int64) {
    #expect(duration.waitSeconds == seconds)
    #expect(duration.waitMilliseconds == milliseconds)
  }

  @Test func timesEndWithTheYears1And9999() {
    let last = Google_Protobuf_Timestamp(seconds: 253_402_300_799, nanos: 999_999_999)
    let first = Google_Protobuf_Timestamp(seconds: -62_135_596_800)
    #expect(Google_Protobuf_Timestamp(sinceEpoch: .seconds(1e20)) == last)
    #expect(Google_Protobuf_Timestamp(sinceEpoch: .zero - .seconds(1e20)) == first)
    let beyond = Google_Protobuf_Timestamp(seconds: .max, nanos: .max)
    let before = Google_Protobuf_Timestamp(seconds: .min, nanos: .min)
    #expect(beyond + .seconds(1e20) == last)
    #expect(before - .seconds(1e20) == first)
    #expect(beyond - before == last - first)
    #expect(beyond.instant(of: .continuous) > .now)
  }
}
