// SPDX-License-Identifier: Apache-2.0
import TaxonHTTP2

/// What the connections of one endpoint have in common.
struct ConnectionSettings: Sendable {
  /// As errors name the endpoint.
  var endpointName: String
  var authority: String
  /// What goes into `:scheme`.
  var scheme = "http"
  var limits: ClientLimits
  var http2: HTTP2Configuration
  var keepalive: Channel.Keepalive
  /// The keepalive's time as it is now: a server may have made it longer.
  var keepaliveTime: Duration?

  init(endpointName: String, authority: String, configuration: Channel.Configuration) {
    self.endpointName = endpointName
    self.authority = authority
    limits = configuration.limits
    http2 = configuration.http2
    http2.maxHeaderListSize = configuration.limits.maxHeaderListSize
    keepalive = configuration.keepalive
    keepaliveTime = configuration.keepalive.time
  }
}
