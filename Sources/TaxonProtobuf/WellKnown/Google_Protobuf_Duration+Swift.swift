// SPDX-License-Identifier: Apache-2.0

extension Google_Protobuf_Duration {
  /// A duration of Swift's; what is less than a nanosecond is cut off. The nearest there is where it is beyond
  /// ±315,576,000,000.999999999 s.
  public init(_ duration: Swift.Duration) {
    let (seconds, nanos) = duration.boundedComponents
    self.init(seconds: seconds, nanos: nanos)
  }
}

extension Swift.Duration {
  /// A duration of protobuf's: the sum of its seconds and nanoseconds, or the nearest within
  /// ±315,576,000,000.999999999 s, where protobuf's durations end; a peer may send others.
  public init(_ duration: Google_Protobuf_Duration) {
    self = (.seconds(duration.seconds) + .nanoseconds(Int64(duration.nanos))).bounded
  }
}
