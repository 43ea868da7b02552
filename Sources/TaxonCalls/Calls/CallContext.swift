// SPDX-License-Identifier: Apache-2.0
import NIOCore
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// One call, as interceptors see it: a `ServerContext` on the server, a `ClientContext` on the client.
public protocol CallContext: AnyObject, Sendable {
  /// The method's path, such as "/octollm.v1.Orchestrator/GetTask".
  var path: String { get }
  /// The other end, as gRPC names peers: "ipv4:127.0.0.1:51234", "unix:", …
  var peer: String { get }
  /// Whether the connection to the peer is encrypted by TLS.
  var isEncrypted: Bool { get }
  /// The certificate that the peer has shown, and that was found good; nil without one.
  var peerCertificate: PeerCertificate? { get }
  /// What travels with the request.
  var metadata: Metadata { get }
  /// When the caller stops waiting; nil when it waits forever.
  var deadline: ContinuousClock.Instant? { get }
  /// The metadata of the answer's head.
  var initialMetadata: Metadata { get }
  /// The metadata of the answer's end.
  var trailingMetadata: Metadata { get }
  /// A value that lives as long as the call: what one interceptor sets, those further in read, and on the server the
  /// handler. It does not travel.
  subscript<Key: CallValueKey>(key: Key.Type) -> Key.Value? { get set }
}

extension CallContext {
  /// The full name of the method's service, such as "octollm.v1.Orchestrator".
  public var service: String { String(path.dropFirst().prefix { $0 != "/" }) }
  /// The method's name within the service, such as "GetTask".
  public var method: String { String(path.dropFirst().drop { $0 != "/" }.dropFirst()) }
}

/// The name and the type of a value that a call carries within this process.
///
/// ```swift
/// enum User: CallValueKey { typealias Value = String }
/// call[User.self] = "Ali"
/// ```
public protocol CallValueKey {
  /// The type of the value.
  associatedtype Value: Sendable
}

extension SocketAddress {
  /// The address as gRPC names peers.
  package var peerName: String {
    switch self {
    case .v4: "ipv4:\(ipAddress ?? ""):\(port ?? 0)"
    case .v6: "ipv6:[\(ipAddress ?? "")]:\(port ?? 0)"
    case .unixDomainSocket: "unix:\(pathname ?? "")"
    }
  }
}

/// The values of one call. Costs no memory before the first is set.
package struct CallValues: Sendable {
  private var values: [ObjectIdentifier: any Sendable]?

  /// No values.
  package init() {}

  package subscript<Key: CallValueKey>(key: Key.Type) -> Key.Value? {
    get { values?[ObjectIdentifier(key)] as? Key.Value }
    set {
      if values == nil, newValue == nil { return }
      values = values ?? [:]
      values?[ObjectIdentifier(key)] = newValue
    }
  }
}

/// The deadline of the call that a task works for. Calls that a handler makes end no later than its own (gRPC deadline
/// propagation).
///
/// It is a task-local value: child tasks have it, and so does an unstructured `Task { … }`, which may outlive the handler.
/// Calls for work that goes on after the answer want `Task.detached`, or a deadline of their own:
///
/// ```swift
/// Task { await CallDeadline.$current.withValue(nil) { await refreshCache() } }
/// ```
public enum CallDeadline {
  /// Bound by a server while a handler runs whose caller has set a deadline.
  @TaskLocal public static var current: NIODeadline?
}
