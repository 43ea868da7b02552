// SPDX-License-Identifier: Apache-2.0

/// The codes of Connect ("Error Codes" of its protocol) are those of gRPC but for OK, in lower case, and with one `l` in "canceled".
/// The HTTP status that Connect prescribes for each is `StatusCode.httpStatus`.
extension StatusCode {
  /// The code of a name in Connect's spelling, such as "not_found".
  package init?(connectName name: String) {
    guard let code = Self.allCases.first(where: { $0 != .ok && $0.connectName == name }) else { return nil }
    self = code
  }

  /// The name in Connect's spelling, such as "not_found". OK, which is no error, has none there; it is "unknown" like every error that
  /// claims to be a success.
  package var connectName: String {
    switch self {
    case .ok: "unknown"
    case .cancelled: "canceled"
    default: name.lowercased()
    }
  }
}
