// SPDX-License-Identifier: Apache-2.0

/// The URL by which an `Any` names its message.
struct TypeURL {
  static let prefix = "type.googleapis.com/"
  static let errorInfo = TypeURL("google.rpc.ErrorInfo")
  static let errorTraits = TypeURL("taxon.ErrorTraits")
  static let retryInfo = TypeURL("google.rpc.RetryInfo")
  static let badRequest = TypeURL("google.rpc.BadRequest")

  /// The full name of the message.
  let name: String

  init(_ name: String) {
    self.name = name
  }

  /// Bytes of the whole URL.
  var count: Int { Self.prefix.utf8.count + name.utf8.count }
}
