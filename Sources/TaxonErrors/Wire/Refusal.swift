// SPDX-License-Identifier: Apache-2.0

/// How it is known that a server did not take a call.
public enum Refusal: Sendable, Hashable {
  /// Proven: the stream never left, or a GOAWAY names a lower last stream. The call may be sent again whatever its
  /// method (gRPC A6, "Transparent Retries").
  case unprocessed
  /// The server reset the stream with REFUSED_STREAM before a head came. HTTP/2 promises that the request was not
  /// processed (RFC 9113 §8.7), but proxies send it for requests that their upstream did process.
  case refusedStream
}
