// SPDX-License-Identifier: Apache-2.0
#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

extension JSONParser {
  /// Bytes in base64 or base64url, with or without padding.
  mutating func base64() throws(JSONFault) -> UnsafeBufferPointer<UInt8> {
    let isString = peek() == UInt8(ascii: "\"")
    let place = cursor
    if isString, let bytes = plainBase64() { return bytes }
    guard let text = Base64.unpadded(try string()) else { throw fail(.invalidBase64, at: place) }
    let count = Base64.decodedCount(text.count)
    let output = arena.allocateValue(count)
    guard Base64.decode(text, to: output) else { throw fail(.invalidBase64, at: place) }
    return UnsafeBufferPointer(start: output, count: count)
  }

  /// The bytes of a string without escapes, which nobody looks at but the search for its end and the decoder. nil, and
  /// nothing is read, where the string has escapes or is wrong.
  private mutating func plainBase64() -> UnsafeBufferPointer<UInt8>? {
    let inside = cursor + 1
    guard let quote = memchr(inside, CInt(UInt8(ascii: "\"")), end - inside) else { return nil }
    let size = UnsafeRawPointer(quote) - UnsafeRawPointer(inside)
    guard let text = Base64.unpadded(UnsafeBufferPointer(start: inside, count: size)) else { return nil }
    let count = Base64.decodedCount(text.count)
    let output = arena.allocateValue(count)
    guard Base64.decode(text, to: output) else { return nil }
    cursor = inside + size + 1
    return UnsafeBufferPointer(start: output, count: count)
  }
}
