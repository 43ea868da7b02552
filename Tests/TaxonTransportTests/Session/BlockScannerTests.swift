// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import Testing

@testable import TaxonTransport

/// Strings that are too large are found in header blocks, however these are cut.
@Suite struct BlockScannerTests {
  /// Scans the block in pieces; the size that was found.
  private func scan(_ block: [UInt8], _ size: Int) -> Int? {
    var scanner = BlockScanner()
    for start in stride(from: 0, to: block.count, by: size) {
      let piece = block[start..<min(start + size, block.count)]
      if let found = piece.withUnsafeBytes({ scanner.scan($0) }) { return found }
    }
    return nil
  }

  /// A block as nghttp2 writes it, with all its forms of fields.
  private func deflate(_ fields: [(name: String, value: String)]) -> [UInt8] {
    var deflater: OpaquePointer?
    nghttp2_hd_deflate_new(&deflater, 4096)
    defer { nghttp2_hd_deflate_del(deflater) }
    let block = HeaderBlock(fields.map { .init($0.name, $0.value, isIndexed: $0.name != "x-secret") })
    var bytes = [UInt8](repeating: 0, count: nghttp2_hd_deflate_bound(deflater, block.fields.baseAddress, fields.count))
    let count = nghttp2_hd_deflate_hd(deflater, &bytes, bytes.count, block.fields.baseAddress, fields.count)
    return Array(bytes.prefix(Int(count)))
  }

  private let fields: [(name: String, value: String)] = [
    (":method", "POST"), (":path", "/a/B"), ("x-own", "value"), ("x-own", "value"), ("x-secret", "s3cret"),
    ("x-long", String(repeating: "y", count: 3000)), ("x-empty", ""), ("te", "trailers"),
  ]

  @Test(arguments: [1, 2, 7, 1 << 20]) func whatFitsIsLeftAlone(_ size: Int) {
    #expect(scan(deflate(fields + [("x-more", String(repeating: "z", count: 65_000))]), size) == nil)
  }

  @Test(arguments: [1, 2, 7, 1 << 20]) func aValueThatIsTooLargeIsFoundByItsLength(_ size: Int) {
    // Literal, without indexing, new name, no Huffman code: 70,000 is 127 and three bytes more (RFC 7541 §5.1).
    let rest = 70_000 - 127
    let length = [127, UInt8(rest & 127 | 128), UInt8(rest >> 7 & 127 | 128), UInt8(rest >> 14)]
    #expect(scan(deflate(fields) + [0, 1, UInt8(ascii: "x")] + length, size) == 70_000)
    // The name.
    #expect(scan(deflate(fields) + [0] + length, size) == 70_000)
  }
}
