// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Why a connection came to a bad end.
package enum ConnectionFailure: Error, CustomStringConvertible {
  /// The peer broke HTTP/2, or nghttp2 could not go on.
  case http2(HTTP2Error)
  /// The peer broke HTTP/1.1: what it was answered.
  case http1(HTTP1Fault)
  /// The peer speaks something else (server), and why it is known.
  case otherProtocol(String)
  /// The peer did not choose HTTP/2 by ALPN (RFC 9113 §3.2); what it chose instead, if anything.
  case notHTTP2(chosen: String?)
  /// The server's certificate is for other names than the one that was asked for.
  case wrongName(String, [String])
  /// The peer's certificate is not believed, and why.
  case untrusted(String)
  /// The TLS handshake failed, or the peer did not accept this end's certificate.
  case tls(String)
  /// Reading or writing failed.
  case transport(any Error)

  /// What happened, for logs and errors.
  package var description: String {
    switch self {
    case .http2(let error): "\(error)"
    case .http1(let fault): "\(fault)"
    case .otherProtocol(let reason): reason
    case .notHTTP2(let chosen?): "the peer speaks \(chosen) and not HTTP/2 (ALPN h2)"
    case .notHTTP2(nil): "the peer does not offer HTTP/2 by ALPN (h2)"
    case .wrongName(let name, let names):
      "TLS: the server's certificate is not for \(name), but for \(names.joined(separator: ", "))"
    case .untrusted(let reason): "TLS: \(reason)"
    case .tls(let reason): "TLS: \(reason)"
    case .transport(let error): Self.text(of: error)
    }
  }

  /// True when the peers did not agree on a secure connection.
  package var isOfHandshake: Bool {
    switch self {
    case .notHTTP2, .wrongName, .untrusted, .tls: true
    case .http2, .http1, .otherProtocol, .transport: false
    }
  }

  /// An error of connecting in a few words.
  package static func text(of error: any Error) -> String {
    switch error {
    case let error as IOError:
      String(cString: strerror(error.errnoCode)) + (SystemErrorName.of(error.errnoCode).map { " (\($0))" } ?? "")
    case let error as NIOConnectionError:
      error.connectionErrors.last.map { text(of: $0.error) } ?? "\(error.dnsAError ?? error.dnsAAAAError ?? error)"
    case ChannelError.connectTimeout(let time): "no answer within \(time.nanoseconds / 1_000_000) ms"
    default: "\(error)"
    }
  }

  /// Sorts an error that came up in a channel. On the channel's loop.
  ///
  /// - Parameter role: Which end of the connection this is.
  init(_ error: any Error, on channel: any Channel, as role: HTTP2Session.Role) {
    if let failure = error as? ConnectionFailure {
      self = failure
      return
    }
    self = .ofTLS(error, on: channel, as: role) ?? .transport(error)
  }
}

/// The names that system calls of the network fail by, which people search for; their numbers are the platform's.
enum SystemErrorName {
  /// Such as "ECONNREFUSED"; nil for an error that sockets seldom have.
  static func of(_ code: CInt) -> String? { names[code] }

  private static let names: [CInt: String] = [
    EACCES: "EACCES", EADDRINUSE: "EADDRINUSE", EADDRNOTAVAIL: "EADDRNOTAVAIL", EAFNOSUPPORT: "EAFNOSUPPORT",
    EAGAIN: "EAGAIN", EBADF: "EBADF", ECONNABORTED: "ECONNABORTED", ECONNREFUSED: "ECONNREFUSED",
    ECONNRESET: "ECONNRESET", EHOSTDOWN: "EHOSTDOWN", EHOSTUNREACH: "EHOSTUNREACH", EINVAL: "EINVAL", EMFILE: "EMFILE",
    ENETDOWN: "ENETDOWN", ENETRESET: "ENETRESET", ENETUNREACH: "ENETUNREACH", ENFILE: "ENFILE", ENOBUFS: "ENOBUFS",
    ENOENT: "ENOENT", ENOMEM: "ENOMEM", ENOTCONN: "ENOTCONN", EPERM: "EPERM", EPIPE: "EPIPE", ETIMEDOUT: "ETIMEDOUT",
  ]
}
