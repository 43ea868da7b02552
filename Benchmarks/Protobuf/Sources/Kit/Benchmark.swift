// SPDX-License-Identifier: Apache-2.0

/// Something that both sides do with the same message.
package struct Benchmark: Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case decode, encode, jsonDecode, jsonEncode
  }

  package var row: String
  package var kind: Kind
  /// Does it so many times; returns a number that depends on every result, so that none can be left out.
  package var run: @Sendable (_ times: Int) throws -> Int

  package init(_ row: String, _ kind: Kind, run: @escaping @Sendable (_ times: Int) throws -> Int) {
    self.row = row
    self.kind = kind
    self.run = run
  }
}

/// What one side makes of a row: its operations, and what it writes, by which the sides are compared.
package struct Subject: Sendable {
  package var operations: [Benchmark]
  package var binary: [UInt8]
  package var json: [UInt8]
  /// Reads what the other side has written, and writes it again in the binary format.
  package var reread: @Sendable (_ binary: [UInt8], _ json: [UInt8]) throws -> (binary: [UInt8], fromJSON: [UInt8])

  package init(
    operations: [Benchmark], binary: [UInt8], json: [UInt8],
    reread: @escaping @Sendable (_ binary: [UInt8], _ json: [UInt8]) throws -> (binary: [UInt8], fromJSON: [UInt8])
  ) {
    self.operations = operations
    self.binary = binary
    self.json = json
    self.reread = reread
  }
}
