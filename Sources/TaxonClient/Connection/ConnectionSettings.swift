// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import TaxonTransport

/// What the connections of one endpoint have in common.
struct ConnectionSettings: Sendable {
  /// The channel's target, as errors name it.
  var target: String
  var authority: String
  /// What encrypts; nil for nothing.
  var tls: TLSContextSource?
  /// The name that the server's certificate has to be for; nil for the address that is connected to.
  var serverName: String?
  var limits: ClientLimits
  var http2: HTTP2Configuration
  var keepalive: Channel.Keepalive
  /// How long a connection that was made may be without room for a call.
  let connectTimeout: TimeAmount
  /// The keepalive's time as it is now: a server may have made it longer.
  var keepaliveTime: Duration?
  let logger: Logger

  /// What goes into `:scheme`.
  var scheme: String { tls == nil ? "http" : "https" }

  init(target: String, authority: String, configuration: Channel.Configuration) {
    self.target = target
    self.authority = authority
    limits = configuration.limits
    http2 = configuration.http2
    http2.maxHeaderListSize = configuration.limits.maxHeaderListSize
    connectTimeout = TimeAmount(configuration.connectTimeout)
    keepalive = configuration.keepalive
    keepaliveTime = configuration.keepalive.time
    logger = configuration.logger
  }
}
