// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

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
