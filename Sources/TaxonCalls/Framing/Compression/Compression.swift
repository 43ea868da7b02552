// SPDX-License-Identifier: Apache-2.0

/// How a message may be compressed: the names that `grpc-encoding` and `grpc-accept-encoding` have for it (gRPC over
/// HTTP/2, "Message-Encoding"). Each message is compressed on its own.
public enum Compression: String, Sendable, CaseIterable {
  /// The gzip format (RFC 1952), one member.
  case gzip
  /// The zlib format (RFC 1950), which HTTP calls deflate and so does gRPC; not bare DEFLATE data.
  case deflate

  /// The size of the window, 2^15 bytes, and the format around the data, as `inflateInit2` and `deflateInit2` take them.
  var windowBits: Int32 {
    switch self {
    case .gzip: 15 + 16
    case .deflate: 15
    }
  }
}
