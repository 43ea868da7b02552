// SPDX-License-Identifier: Apache-2.0

import TaxonErrors

extension CompressionError {
  /// The error of a call whose message cannot be decompressed.
  var undeclared: RPCError {
    switch self {
    // How large it is, is not known: it was given up at the first byte past the limit.
    case .tooLarge(let limit): RPCError(CallError.MessageTooLarge(size: Int64(limit) + 1, limit: Int64(limit)))
    case .outOfMemory: RPCError(.resourceExhausted, "Of what was sent, \(self)")
    case .truncated, .corrupt, .trailing: RPCError(CallError.ProtocolViolation(reason: "\(self)"))
    }
  }
}

extension Compression {
  /// What stands in `grpc-accept-encoding`.
  public static let acceptedHere = (allCases.map(\.rawValue) + ["identity"]).joined(separator: ",")

  /// The formats that a `grpc-accept-encoding` names, those left out that are not known here.
  static func list(_ value: UnsafeBufferPointer<UInt8>) -> Set<Compression> {
    Set(
      value.split(separator: UInt8(ascii: ",")).compactMap { word in
        Compression(rawValue: String(decoding: word.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self))
      })
  }
}
