// SPDX-License-Identifier: Apache-2.0
import TaxonTransport

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// What came before on a connection: the headers of its calls repeat, and what is known need not be made.
///
/// Lives on the connection's event loop.
package final class HeaderCache {
  /// The metadata of the last call.
  @exclusivity(unchecked) fileprivate var last: [Metadata.Entry] = []
  @exclusivity(unchecked) private var lastPath = ""
  @exclusivity(unchecked) private var lastAuthority = ""
  @exclusivity(unchecked) private var slots = noStrings
  private static let noStrings = [String](repeating: "", count: 32)
  private static let longest = 256

  /// A cache of a connection on which nothing has come.
  package init() {}

  /// Forgets all, to give up the memory.
  package func clear() {
    last = []
    lastPath = ""
    lastAuthority = ""
    slots = Self.noStrings
  }

  /// A path, which is most often that of the call before.
  func path(_ bytes: UnsafeBufferPointer<UInt8>) -> String { string(bytes, like: &lastPath) }

  /// An authority, which is most often that of the call before.
  func authority(_ bytes: UnsafeBufferPointer<UInt8>) -> String { string(bytes, like: &lastAuthority) }

  private func string(_ bytes: UnsafeBufferPointer<UInt8>, like last: inout String) -> String {
    if last.isMade(of: bytes) { return last }
    let string = string(bytes)
    if bytes.count <= Self.longest { last = string }
    return string
  }

  /// The string with these bytes.
  func string(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
    // Up to 15 bytes a string needs no memory of its own.
    guard bytes.count > 15, bytes.count <= Self.longest else { return String(decoding: bytes, as: UTF8.self) }
    let slot = (bytes.count &+ Int(bytes[bytes.count - 1]) &* 7 &+ Int(bytes[bytes.count / 2]) &* 13) & 31
    if slots[slot].isMade(of: bytes) { return slots[slot] }
    let string = String(decoding: bytes, as: UTF8.self)
    slots[slot] = string
    return string
  }
}

/// The metadata of a call while its fields come. As long as they are those of the call before, nothing is made.
struct MetadataBuilder {
  private var known = 0
  private var isKnown = true
  private var metadata = Metadata()

  mutating func receive(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>, cache: HeaderCache) {
    if isKnown {
      if known < cache.last.count, case .text(let text) = cache.last[known].value, text.isMade(of: value),
        cache.last[known].name.isMade(of: name)
      {
        known += 1
        return
      }
      metadata = Metadata(entries: Array(cache.last.prefix(known)))
      isKnown = false
    }
    metadata.receive(name: cache.string(name), value: value, cache: cache)
  }

  /// All fields have come.
  func finish(_ cache: HeaderCache) -> Metadata {
    if isKnown {
      return Metadata(entries: known == cache.last.count ? cache.last : Array(cache.last.prefix(known)))
    }
    cache.last = metadata.entries
    return metadata
  }
}

extension String {
  /// Whether these are the string's bytes.
  fileprivate func isMade(of bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard utf8.count == bytes.count else { return false }
    return utf8.withContiguousStorageIfAvailable { own in
      guard let start = own.baseAddress, let other = bytes.baseAddress else { return true }
      return memcmp(start, other, own.count) == 0
    } ?? false
  }
}

extension UnsafeBufferPointer<UInt8> {
  func equals(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in 0..<count where self[index] != text.utf8Start[index] { return false }
    return true
  }
}
