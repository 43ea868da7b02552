// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What JSON needs to know of an enum; made when it is first needed, never freed.
struct JSONEnumTable {
  /// The full name.
  let name: String
  /// Whether it is `google.protobuf.NullValue`, whose value is null.
  let isNull: Bool
  /// Whether there are no other numbers than those with names.
  let isClosed: Bool
  /// From names to places in `numbers`.
  let names: JSONNames
  let numbers: UnsafeMutablePointer<Int32>
  /// The names with their quotes, sorted by number; of several names of a number the first.
  private let sorted: UnsafeMutablePointer<(number: Int32, text: UnsafeBufferPointer<UInt8>)>
  private let count: Int

  init(_ descriptor: EnumDescriptor) {
    name = descriptor.name
    isClosed = descriptor.isClosed
    isNull = descriptor.name == "google.protobuf.NullValue"
    let values = descriptor.values
    numbers = .allocate(capacity: max(values.count, 1))
    var entries: [JSONNames.Entry] = []
    var texts: [(number: Int32, text: UnsafeBufferPointer<UInt8>)] = []
    for (index, value) in values.enumerated() {
      (numbers + index).initialize(to: value.number)
      var buffer = JSONBuffer(arena: nil)
      value.name.withContiguousUTF8 { buffer.string($0) }
      let text = buffer.keep()
      // The text has its quotes, so there is an address.
      entries.append(JSONNames.Entry(start: text.baseAddress! + 1, count: text.count - 2, index: index))
      if !texts.contains(where: { $0.number == value.number }) { texts.append((value.number, text)) }
    }
    names = JSONNames(entries)
    texts.sort { $0.number < $1.number }
    sorted = .allocate(capacity: max(texts.count, 1))
    sorted.initialize(from: texts, count: texts.count)
    count = texts.count
  }

  /// The number of a name.
  @inline(__always)
  func number(of name: UnsafeBufferPointer<UInt8>) -> Int32? {
    names.index(of: name).map { numbers[$0] }
  }

  /// The name of a number, with quotes.
  @inline(__always)
  func text(of number: Int32) -> UnsafeBufferPointer<UInt8>? {
    // Most enums count from zero without a gap.
    let guess = Int(number)
    if guess >= 0, guess < count, sorted[guess].number == number { return sorted[guess].text }
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle].number == number { return sorted[middle].text }
      if sorted[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return nil
  }
}

extension EnumDescriptor {
  private static let tables = Locked(0)

  /// What JSON needs to know.
  var json: UnsafePointer<JSONEnumTable> {
    UnsafePointer(
      bitPattern: Self.tables.withLock { (made) -> UInt in
        let existing = jsonTable.load(ordering: .acquiring)
        guard existing == 0 else { return existing }
        made += 1
        let table = UnsafeMutablePointer<JSONEnumTable>.allocate(capacity: 1)
        table.initialize(to: JSONEnumTable(self))
        jsonTable.store(UInt(bitPattern: table), ordering: .releasing)
        return UInt(bitPattern: table)
      })!  // Either way it is the address of a table.
  }
}
