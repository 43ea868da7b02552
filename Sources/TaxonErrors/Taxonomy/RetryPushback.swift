// SPDX-License-Identifier: Apache-2.0

/// What a server says about retries in `grpc-retry-pushback-ms` (gRPC A6, "Pushback").
public enum RetryPushback: Hashable, Sendable {
  /// Retry, after this long.
  case after(Duration)
  /// Do not retry.
  case stop

  /// Reads the header: milliseconds. A negative value, and a value that is no number, mean stop (A6).
  public init(header: String) {
    if let milliseconds = Int64(header), milliseconds >= 0, milliseconds <= Int64(Int32.max) {
      self = .after(.milliseconds(milliseconds))
    } else {
      self = .stop
    }
  }
}
