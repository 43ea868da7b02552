// SPDX-License-Identifier: Apache-2.0
import NIOSSL

/// What connections are made from.
struct TLSContext: Sendable {
  private let context: NIOSSLContext
  /// The peers' own certificates, where these alone are trusted.
  private let pinned: PinnedCertificates?

  init(_ context: NIOSSLContext, pinned: PinnedCertificates?) {
    self.context = context
    self.pinned = pinned
  }

  func makeClientHandler(serverHostname: String?) throws -> NIOSSLClientHandler {
    guard let pinned else { return try NIOSSLClientHandler(context: context, serverHostname: serverHostname) }
    return try NIOSSLClientHandler(
      context: context, serverHostname: serverHostname, customVerificationCallback: pinned.callback)
  }

  func makeServerHandler() throws -> NIOSSLServerHandler {
    guard let pinned else { return NIOSSLServerHandler(context: context) }
    return NIOSSLServerHandler(context: context, customVerificationCallback: pinned.callback)
  }
}
