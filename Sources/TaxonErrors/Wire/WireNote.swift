// SPDX-License-Identifier: Apache-2.0

/// Something wrong with how a failure arrived. The error is usable all the same.
public enum WireNote: Hashable, Sendable {
  /// `grpc-status` and the code in the details are not the same; the former counts.
  case statusDisagrees(trailer: StatusCode, details: Int32)
  /// A part of the details is no message of its type and was left out.
  case undecodable(type: String, reason: String)
  /// The error is known, but its fields did not arrive, so that it could not be given its type.
  case payloadMissing(ErrorIdentity)
}

extension WireNote: CustomStringConvertible {
  /// A line for a log.
  public var description: String {
    switch self {
    case .statusDisagrees(let trailer, let details):
      "grpc-status says \(trailer), the status in grpc-status-details-bin says \(StatusCode(wire: details)); the former counts"
    case .undecodable(let type, let reason): "a detail of type \(type) was left out: \(reason)"
    case .payloadMissing(let identity): "\(identity) arrived without its fields"
    }
  }
}
