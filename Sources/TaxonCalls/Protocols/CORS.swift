// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf
import TaxonTransport

/// Which pages of other origins may call a server from a browser (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).
///
/// ```swift
/// configuration.cors = CORSSettings(origins: ["https://app.example.com"])
/// ```
public struct CORSSettings: Sendable, Hashable {
  /// Origins such as "https://app.example.com" or "http://localhost:8080", in lower case and without a path; nil: any.
  public var origins: Set<String>?
  /// Headers that pages may send beside those of gRPC-Web, Connect and JSON; "*" stands for any, but `authorization`.
  public var allowedHeaders: [String] = []
  /// Headers that pages may read beside those of gRPC-Web and Connect.
  public var exposedHeaders: [String] = []
  /// How long a browser may keep the answer to a preflight. 0 or more; browsers have bounds of their own.
  public var maxAge: Duration = .seconds(7200)
  /// Pages may send cookies and client certificates. Only with origins that are named.
  public var allowsCredentials = false

  /// Pages of these origins may call; nil: of any.
  public init(origins: Set<String>?) { self.origins = origins }

  /// What is wrong with the settings, by name; nil when all is well.
  package var fault: (name: String, value: String, reason: String)? {
    if let origins {
      for origin in origins.sorted() where !Self.isOrigin(origin) {
        return (
          "cors.origins", origin,
          "an origin is a scheme, a host in lower case and perhaps a port: https://app.example.com"
        )
      }
    } else if allowsCredentials {
      return ("cors.allowsCredentials", "true", "browsers send credentials only to servers that name the origins")
    }
    for header in allowedHeaders + exposedHeaders where header != "*" && !Self.isToken(header) {
      return ("cors headers", header, "a header's name is a token (RFC 9110 §5.6.2)")
    }
    if maxAge < .zero { return ("cors.maxAge", "\(maxAge)", "it must be 0 or more") }
    return nil
  }

  private static func isOrigin(_ text: String) -> Bool {
    if text == "null" { return true }
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2, isToken(String(parts[0])), parts[1].hasPrefix("//"), text == text.lowercased() else {
      return false
    }
    let host = parts[1].utf8.dropFirst(2)
    return !host.isEmpty
      && host.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ",") }
  }

  static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }
}

extension CORSSettings {
  private func allows(_ origin: String) -> Bool { origins?.contains(origin) ?? true }

  /// Fields of every answer to a request; the origin is the request's, nil without one.
  func fields(origin: String?) -> Metadata {
    var fields: [Metadata.Entry] = []
    func add(_ name: String, _ value: String) { fields.append(.init(name: name, value: .text(value))) }
    // What is answered to one origin is not for a cache to give to another.
    if origins != nil { add("vary", "origin") }
    guard let origin, allows(origin) else { return Metadata(entries: fields) }
    add("access-control-allow-origin", origins == nil ? "*" : origin)
    if allowsCredentials { add("access-control-allow-credentials", "true") }
    add("access-control-expose-headers", (Self.exposed + exposedHeaders).joined(separator: ", "))
    return Metadata(entries: fields)
  }

  /// The answer to a browser that asks whether a page may make a request.
  ///
  /// - Parameter headers: Names that the page wants to send, as the browser gives them.
  func preflight(origin: String, headers: String?) -> HeaderBlock {
    var fields: [HeaderBlock.Field] = [.init(":status", "204")]
    fields.append(
      .init("vary", "origin, access-control-request-method, access-control-request-headers", isIndexed: false))
    guard allows(origin) else { return HeaderBlock(fields) }
    fields.append(.init("access-control-allow-origin", origins == nil ? "*" : origin, isIndexed: false))
    if allowsCredentials { fields.append(.init("access-control-allow-credentials", "true")) }
    fields.append(.init("access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE"))
    fields.append(.init("access-control-allow-headers", allowed(headers).joined(separator: ", "), isIndexed: false))
    fields.append(.init("access-control-max-age", "\(maxAge.boundedComponents.seconds)"))
    return HeaderBlock(fields)
  }

  /// The allowed ones among the names that a page wants to send: a list of all that may be would be longer.
  private func allowed(_ headers: String?) -> [String] {
    let known = Set((Self.known + allowedHeaders).map { $0.lowercased() })
    let wanted = headers?.split(separator: ",").map { $0.trimming.lowercased() } ?? []
    let takesAny = known.contains("*")
    return wanted.filter { known.contains($0) || takesAny && $0 != "authorization" && Self.isToken($0) }
  }

  /// What pages send in the protocols that are spoken here.
  private static let known = [
    "accept", "accept-language", "cache-control", "connect-accept-encoding", "connect-content-encoding",
    "connect-protocol-version", "connect-timeout-ms", "content-encoding", "content-type", "grpc-accept-encoding",
    "grpc-encoding", "grpc-timeout", "if-none-match", "range", "user-agent", "x-grpc-web", "x-user-agent",
  ]

  /// What pages read in them.
  private static let exposed = [
    "allow", "accept-post", "connect-accept-encoding", "connect-content-encoding", "content-encoding", "etag",
    "grpc-encoding", "grpc-message", "grpc-retry-pushback-ms", "grpc-status", "grpc-status-details-bin", "retry-after",
    "taxon-error",
  ]
}

extension StringProtocol {
  /// The text without spaces and tabs at its ends (RFC 9110 §5.6.3).
  var trimming: SubSequence {
    var rest = self[...]
    while let first = rest.first, first == " " || first == "\t" { rest = rest.dropFirst() }
    while let last = rest.last, last == " " || last == "\t" { rest = rest.dropLast() }
    return rest
  }
}
