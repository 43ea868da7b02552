// SPDX-License-Identifier: Apache-2.0

/// Something that both sides do with the same message.
public struct Benchmark: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case decode, encode, jsonDecode, jsonEncode
  }

  public var row: String
  public var kind: Kind
  /// Does it so many times; returns a number that depends on every result, so that none can be left out.
  public var run: @Sendable (_ times: Int) throws -> Int

  public init(_ row: String, _ kind: Kind, run: @escaping @Sendable (_ times: Int) throws -> Int) {
    self.row = row
    self.kind = kind
    self.run = run
  }
}

/// What one side makes of a row: its operations, and what it writes, by which the sides are compared.
public struct Subject: Sendable {
  public var operations: [Benchmark]
  public var binary: [UInt8]
  public var json: [UInt8]
  /// Reads what the other side has written, and writes it again in the binary format.
  public var reread: @Sendable (_ binary: [UInt8], _ json: [UInt8]) throws -> (binary: [UInt8], fromJSON: [UInt8])

  public init(
    operations: [Benchmark], binary: [UInt8], json: [UInt8],
    reread: @escaping @Sendable (_ binary: [UInt8], _ json: [UInt8]) throws -> (binary: [UInt8], fromJSON: [UInt8])
  ) {
    self.operations = operations
    self.binary = binary
    self.json = json
    self.reread = reread
  }
}
