// SPDX-License-Identifier: Apache-2.0

/// The same bytes at several places. What a copy of many bytes takes depends on where source and target lie to each
/// other within a page, up to fourteen times as much where they lie badly (measured on AMD), and an allocator gives the
/// same places again and again: one input would measure that and no more. Four of 64 KiB stay in the second cache.
package struct Placement: Sendable {
  private static let count = 4
  private let copies: [[UInt8]]
  /// Keep the copies apart.
  private let spacers: [[UInt8]]

  package init(_ bytes: [UInt8]) {
    var copies: [[UInt8]] = []
    var spacers: [[UInt8]] = []
    for index in 0..<Self.count {
      copies.append(bytes.map { $0 })
      spacers.append([UInt8](repeating: 0, count: 16 + 272 * index))
    }
    self.copies = copies
    self.spacers = spacers
  }

  /// Another place each time.
  package subscript(time: Int) -> [UInt8] { copies[time % Self.count] }
}
