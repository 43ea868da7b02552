// SPDX-License-Identifier: Apache-2.0

/// The URL by which an `Any` names its message.
enum TypeURL {
  static let prefix = "type.googleapis.com/"
  static let prefixBytes = Array(prefix.utf8)

  static let errorInfo = "google.rpc.ErrorInfo"
  static let errorTraits = "taxon.ErrorTraits"
  static let retryInfo = "google.rpc.RetryInfo"
  static let badRequest = "google.rpc.BadRequest"
}
