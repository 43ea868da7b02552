// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// Protocols that a server speaks beside gRPC, on the same port.
public struct ServedProtocols: OptionSet, Sendable, Hashable {
  /// A bit for each protocol.
  public let rawValue: UInt8

  /// Protocols by their bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// gRPC-Web, binary and as text.
  public static let grpcWeb = ServedProtocols(rawValue: 1)
  /// Connect: unary calls by POST and GET, and streams.
  public static let connect = ServedProtocols(rawValue: 2)
  /// `POST /package.Service/Method` with JSON, without headers of Connect's.
  public static let json = ServedProtocols(rawValue: 4)
  /// What `google.api.http` options declare.
  public static let rest = ServedProtocols(rawValue: 8)
  /// All of them.
  public static let all: ServedProtocols = [.grpcWeb, .connect, .json, .rest]
}

/// How a server speaks Connect.
public struct ConnectSettings: Sendable, Hashable {
  /// Requests without `Connect-Protocol-Version: 1`, or `connect=v1` in a GET, are refused (INVALID_ARGUMENT). A request with
  /// `application/json` and no such header is then plain JSON, where the server speaks that.
  public var requiresProtocolVersion = false

  /// The values above.
  public init() {}
}

/// How a server reads and writes JSON.
public struct JSONSettings: Sendable {
  /// Fields that the message does not have are skipped in plain JSON and REST, too; otherwise they are reported with HTTP 422.
  /// Connect always skips them, so that newer clients can call older servers, as they can with binary messages.
  public var ignoresUnknownFields = false
  /// Fields have the names of the schema in what is written, `task_id` rather than `taskId`. Read are both.
  public var usesOriginalNames = false
  /// Fields without presence are written also when they have their default value.
  public var printsDefaults = false
  /// The types that a `google.protobuf.Any` may hold, besides the well-known ones.
  public var registry = TypeRegistry()

  /// The values above.
  public init() {}
}

/// How calls of a server may be written: its settings, made ready for use.
package final class CallProtocols: Sendable {
  let served: ServedProtocols
  let connect: ConnectSettings
  let cors: CORSSettings?
  /// Reads and writes JSON, and is strict with fields that are not known.
  let json: JSONCoder
  /// The same for Connect.
  let lenientJSON: JSONCoder

  /// The protocols of a server with these settings.
  package init(
    served: ServedProtocols = .all, connect: ConnectSettings = ConnectSettings(), json: JSONSettings = JSONSettings(),
    cors: CORSSettings? = nil
  ) {
    self.served = served
    self.connect = connect
    self.cors = cors
    let encoding = JSONEncodingOptions(
      usesOriginalNames: json.usesOriginalNames, printsDefaults: json.printsDefaults, registry: json.registry)
    func coder(ignoresUnknownFields: Bool) -> JSONCoder {
      JSONCoder(
        decoding: JSONDecodingOptions(ignoresUnknownFields: ignoresUnknownFields, registry: json.registry),
        encoding: encoding)
    }
    self.json = coder(ignoresUnknownFields: json.ignoresUnknownFields)
    lenientJSON = coder(ignoresUnknownFields: true)
  }
}
