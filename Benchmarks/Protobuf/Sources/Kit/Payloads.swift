// SPDX-License-Identifier: Apache-2.0

/// The values that both sides put into their messages.
package enum Payloads {
  package static let rows = [
    "one string", "nine fields", "map of 100", "64 KiB of bytes", "10,000 packed ints", "deep tree",
    "status with three details", "3 of 40 optional fields", "1,000 small messages", "Struct of 100 entries",
  ]

  package static let note = "The quick brown fox jumps over the lazy dog"
  package static let id = "task-7f3a1c9e"
  package static let createdMs: Int64 = 1_763_800_000_123
  package static let tags = ["batch", "nightly", "customer:4711", "région-ouest"]
  package static let owner = (name: "Ada Lovelace", email: "ada@example.com")
  package static let steps: [(title: String, milliseconds: UInt32)] = [
    ("fetch", 120), ("tokenize the documents", 3450), ("embed", 98_000), ("publish", 15),
  ]
  package static let scores: [Int32] = [3, 1, 4, 1, 5, 9, 2, 6, -5, 35_897]
  package static let progress = 0.8125

  package static let labels = Dictionary(
    uniqueKeysWithValues: (0..<100).map { ("label-\($0)", "the value of label \($0)") })
  package static let blob = (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31) }
  package static let samples = (Int32(0)..<10_000).map { (number: Int32) -> Int32 in
    number % 7 == 0 ? -number : number &* 37
  }

  /// Levels of the tree: a node has a child that goes on, and a leaf.
  package static let depth = 45

  package static let message = "The task 42 cannot be shown: try again later"
  package static let reason = "TASK_EMBARGOED"
  package static let domain = "octollm.dev"
  /// Of a message with 40 optional fields.
  package static let sparse = (text: "eu-west-1", count: Int64(4711), ratio: 0.25)

  /// A response with a list.
  package static let items = (0..<1000).map { (id: Int64(1_000_000 + $0), name: "item \($0)", isActive: $0 % 3 == 0) }

  package static let entries = (0..<100).map { "entry-\($0)" }

  package static let metadata = ["task_id": "42", "days": "3", "region": "eu-west-1"]
  package static let retrySeconds: Int64 = 5
  package static let violations: [(field: String, description: String)] = [
    ("task.id", "must be a number"), ("task.budget", "must not be negative"),
  ]
}
