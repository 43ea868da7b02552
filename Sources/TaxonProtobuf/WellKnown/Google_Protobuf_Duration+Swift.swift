// SPDX-License-Identifier: Apache-2.0

extension Google_Protobuf_Duration {
  /// A duration of Swift's; what is less than a nanosecond is cut off.
  public init(_ duration: Swift.Duration) {
    let (seconds, attoseconds) = duration.components
    self.init(seconds: seconds, nanos: Int32(attoseconds / 1_000_000_000))
  }
}

extension Swift.Duration {
  /// A duration of protobuf's.
  public init(_ duration: Google_Protobuf_Duration) {
    self = .seconds(duration.seconds) + .nanoseconds(Int64(duration.nanos))
  }
}
