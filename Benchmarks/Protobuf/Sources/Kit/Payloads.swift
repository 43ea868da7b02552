// SPDX-License-Identifier: Apache-2.0

/// The values that both sides put into their messages.
package enum Payloads {
  package static let rows = [
    "one string", "nine fields", "map of 100", "64 KiB of bytes", "10,000 packed ints", "deep tree",
    "status with three details",
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
  package static let samples = (Int32(0)..<10_000).map { (value: Int32) -> Int32 in value % 7 == 0 ? -value : value &* 37
  }

  /// Levels of the tree: a node has a child that goes on, and a leaf.
  package static let depth = 45

  package static let message = "The task 42 cannot be shown: try again later"
  package static let reason = "TASK_EMBARGOED"
  package static let domain = "octollm.dev"
  package static let metadata = ["task_id": "42", "days": "3", "region": "eu-west-1"]
  package static let retrySeconds: Int64 = 5
  package static let violations: [(field: String, description: String)] = [
    ("task.id", "must be a number"), ("task.budget", "must not be negative"),
  ]
}
