// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// The verb and the target of a request that is not plain gRPC, as they came.
public struct HTTPRequestLine: Sendable, Hashable {
  /// Such as "GET".
  public let method: String
  /// Such as "/v1/tasks?page_size=10".
  public let target: String

  /// The values of the query by name, decoded, in their order; empty without one.
  public var query: [(name: String, value: String)] { RequestTarget(target).items }
}

/// What a request line asks for: a path, and a query behind it (RFC 9110 §4.2, RFC 3986 §3).
package struct RequestTarget: Sendable {
  /// Up to the query, as it came.
  package let path: String
  /// Behind the question mark, as it came; nil without one.
  package let query: Substring?

  /// The target of a request, such as "/v1/tasks?page_size=10".
  package init(_ text: String) {
    guard let offset = Self.queryMark(text) else {
      path = text
      query = nil
      return
    }
    let mark = text.utf8.index(text.startIndex, offsetBy: offset)
    path = String(text[..<mark])
    query = text[text.utf8.index(after: mark)...]
  }

  /// Where the first question mark is, in bytes. Over the storage, since the search of a string takes 30 instructions a byte.
  private static func queryMark(_ text: String) -> Int? {
    let mark = UInt8(ascii: "?")
    return text.utf8.withContiguousStorageIfAvailable { bytes in bytes.firstIndex(of: mark) }
      ?? Array(text.utf8).firstIndex(of: mark)
  }

  /// The values of the query by name, decoded, in their order: "+" is a space, and "%41" is "A". What is not percent-encoding is
  /// left as it is.
  package var items: [(name: String, value: String)] { parts.map { (Self.decoded($0.name), Self.decoded($0.value)) } }

  /// The first value of the query under a name, decoded: bytes, which need not be text; nil without one.
  package func bytes(_ name: String) -> [UInt8]? {
    parts.first { Self.decoded($0.name) == name }.map { Self.bytes($0.value) }
  }

  private var parts: [(name: Substring, value: Substring)] {
    guard let query else { return [] }
    return query.split(separator: "&").map { item in
      let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (parts[0], parts.count > 1 ? parts[1] : "")
    }
  }

  private static func decoded(_ text: Substring) -> String {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else { return String(text) }
    return String(decoding: bytes(text), as: UTF8.self)
  }

  private static func bytes(_ text: Substring) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), let high = digit(rest.first), let low = digit(rest.dropFirst().first) {
        bytes.append(high << 4 | low)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return bytes
  }

  private static func digit(_ byte: UInt8?) -> UInt8? {
    guard let byte else { return nil }
    return switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
