// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TaxonCalls

@Suite struct CompressionTests {
  private func decompressed(_ compression: Compression, _ input: [UInt8], limit: Int = 1 << 20) throws -> [UInt8] {
    try Decompressor(compression).bytes(of: input, limit: limit)
  }

  /// What Python's `gzip.compress(…, mtime=0)` and `zlib.compress` make of it.
  @Test(arguments: [
    (Compression.gzip, "", "1f8b080000000000020303000000000000000000"),
    (.deflate, "", "789c030000000001"),
    (.gzip, "Hello, Taxon", "1f8b0800000000000203f348cdc9c9d7510849acc8cf03002eb44b470c000000"),
    (.deflate, "Hello, Taxon", "789cf348cdc9c9d7510849acc8cf03001b0f044b"),
    // With a file's name in the header.
    (.gzip, "eight arms", "1f8b08080100000002ff6f63746f7075732e747874004bcd4ccf2851482cca2d06007a4231da0a000000"),
  ])
  func whatPythonCompressedIsRead(_ compression: Compression, _ text: String, _ hex: String) throws {
    #expect(try decompressed(compression, bytes(hex)) == Array(text.utf8))
  }

  @Test(arguments: Compression.allCases, [0, 1, 2, 100, 16_383, 16_384, 16_385, 100_000, 1_000_000])
  func messagesGoThereAndBack(_ compression: Compression, _ count: Int) throws {
    let compressor = try Compressor(compression)
    let decompressor = try Decompressor(compression)
    var random = Sequence32(seed: UInt32(count) + 1)
    for message in [
      [UInt8](repeating: 0, count: count), (0..<count).map { _ in random.next() },
      (0..<count).map { UInt8(truncatingIfNeeded: $0 / 7) },
    ] {
      let small = try compressor.bytes(of: message)
      // The limit is what it has, to the byte.
      #expect(try decompressor.bytes(of: small, limit: count) == message)
      guard count > 0 else { continue }
      #expect(throws: CompressionError.tooLarge(limit: count - 1)) {
        try decompressor.bytes(of: small, limit: count - 1)
      }
    }
  }

  @Test func theFormatsAreTheirOwn() throws {
    #expect(try Compressor(.gzip).bytes(of: Array("a".utf8)).starts(with: [0x1f, 0x8b]))
    #expect(try Compressor(.deflate).bytes(of: Array("a".utf8)).first == 0x78)
    // Bare DEFLATE data is neither.
    let bare = bytes("f348cdc9c9d7510849acc8cf0300")
    for compression in Compression.allCases {
      #expect(throws: CompressionError.corrupt("incorrect header check")) { try decompressed(compression, bare) }
    }
    let gzip = try Compressor(.gzip).bytes(of: [1, 2, 3])
    #expect(throws: CompressionError.corrupt("incorrect header check")) { try decompressed(.deflate, gzip) }
  }

  @Test func aPresetDictionaryIsRefused() {
    #expect(throws: CompressionError.corrupt("it needs a preset dictionary")) {
      try decompressed(.deflate, bytes("78bb05e1020bf348cdc9c9d7510801b1011b0f044b"))
    }
  }

  @Test(arguments: Compression.allCases)
  func aBombCostsNoMoreThanTheLimit(_ compression: Compression) throws {
    let bomb = try Compressor(compression).bytes(of: [UInt8](repeating: 0, count: 64 << 20))
    #expect(bomb.count < 70_000)
    let decompressor = try Decompressor(compression)
    for limit in [0, 1, 16_384, 1 << 20, 4 << 20] {
      #expect(throws: CompressionError.tooLarge(limit: limit)) { try decompressor.bytes(of: bomb, limit: limit) }
      #expect(decompressor.scratch.peak <= max(limit + 1, ScratchBuffer.retained, 2 * bomb.count))
    }
  }

  @Test(arguments: Compression.allCases)
  func everyTruncationIsFound(_ compression: Compression) throws {
    let message = Array("An octopus has eight arms, and three hearts; eight arms, three hearts.".utf8)
    let whole = try Compressor(compression).bytes(of: message)
    let decompressor = try Decompressor(compression)
    for count in whole.indices {
      #expect(throws: CompressionError.truncated) {
        try decompressor.bytes(of: Array(whole[..<count]), limit: 1000)
      }
    }
    // And it is good for the next message.
    #expect(try decompressor.bytes(of: whole, limit: 1000) == message)
  }

  @Test(arguments: Compression.allCases)
  func whatFollowsIsFound(_ compression: Compression) throws {
    let whole = try Compressor(compression).bytes(of: [1, 2, 3])
    #expect(throws: CompressionError.trailing(1)) { try decompressed(compression, whole + [0]) }
    #expect(throws: CompressionError.trailing(whole.count)) { try decompressed(compression, whole + whole) }
  }

  @Test(arguments: Compression.allCases)
  func everyBitThatChangesIsFoundOrMeansTheSame(_ compression: Compression) throws {
    let message = Array("eight arms and three hearts, eight arms".utf8)
    let whole = try Compressor(compression).bytes(of: message)
    let decompressor = try Decompressor(compression)
    for bit in 0..<whole.count * 8 {
      var changed = whole
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      // gzip's header has fields that say nothing of the content.
      if let outcome = try? decompressor.bytes(of: changed, limit: 1000) { #expect(outcome == message) }
    }
    #expect(try decompressor.bytes(of: whole, limit: 1000) == message)
  }

  @Test(arguments: Compression.allCases)
  func randomBytesAreRefused(_ compression: Compression) throws {
    let decompressor = try Decompressor(compression)
    let whole = try Compressor(compression).bytes(of: [UInt8](repeating: 7, count: 500))
    var random = Sequence32(seed: 7)
    for round in 0..<5000 {
      // Half of them with the right beginning, so that they come further.
      let start = round % 2 == 0 ? [] : Array(whole.prefix(10))
      let input = start + (0..<Int(random.next())).map { _ in random.next() }
      #expect(throws: CompressionError.self) { try decompressor.bytes(of: input, limit: 10_000) }
    }
    #expect(try decompressor.bytes(of: whole, limit: 500).count == 500)
  }

  @Test(arguments: Compression.allCases)
  func largeMemoryIsGivenBack(_ compression: Compression) throws {
    let compressor = try Compressor(compression)
    let decompressor = try Decompressor(compression)
    let message = [UInt8](repeating: 9, count: 3 << 20)
    let small = try compressor.bytes(of: message)
    #expect(try decompressor.bytes(of: small, limit: 4 << 20) == message)
    #expect(compressor.scratch.bytes.count <= ScratchBuffer.retained)
    #expect(decompressor.scratch.bytes.count <= ScratchBuffer.retained)
  }

  @Test(arguments: [
    (CompressionError.tooLarge(limit: 5), "the message is larger than 5 bytes when it is decompressed"),
    (.truncated, "the compressed message ends too early"),
    (.corrupt("invalid block type"), "the compressed message is corrupt: invalid block type"),
    (.trailing(2), "2 bytes follow the compressed message"),
    (.outOfMemory, "there is no memory for a compressed message"),
  ])
  func errorsSayWhatIsWrong(_ error: CompressionError, _ text: String) {
    #expect("\(error)" == text)
  }
}

extension Compressor {
  fileprivate func bytes(of input: [UInt8]) throws -> [UInt8] {
    try input.withUnsafeBytes { input in try compress(input) { Array($0) } }
  }
}

extension Decompressor {
  fileprivate func bytes(of input: [UInt8], limit: Int) throws -> [UInt8] {
    try input.withUnsafeBytes { input in try decompress(input, limit: limit) { Array($0) } }
  }
}

private func bytes(_ hex: String) -> [UInt8] {
  let digits = Array(hex)
  return stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
}

/// The same bytes in every run.
private struct Sequence32 {
  private var state: UInt32

  init(seed: UInt32) { state = seed }

  mutating func next() -> UInt8 {
    state = state &* 1_664_525 &+ 1_013_904_223
    return UInt8(truncatingIfNeeded: state >> 24)
  }
}
