// SPDX-License-Identifier: Apache-2.0

/// So many bytes with whatever the memory had: an array that is made of them is yet to be filled.
///
/// `Array.init(unsafeUninitializedCapacity:)` asks the runtime for the array's type each time (Swift 6.3), and takes
/// twice as long as making an array of a collection, whose code the compiler writes for this very type. This is a
/// collection that leaves the memory it is copied into as it is.
private struct UnfilledBytes: RandomAccessCollection {
  let count: Int

  var startIndex: Int { 0 }
  var endIndex: Int { count }
  subscript(position: Int) -> UInt8 { 0 }

  func _copyContents(
    initializing buffer: UnsafeMutableBufferPointer<UInt8>
  ) -> (Iterator, UnsafeMutableBufferPointer<UInt8>.Index) {
    // A byte of any value is a byte: there is nothing to initialise.
    (Self(count: 0).makeIterator(), count)
  }
}

extension [UInt8] {
  /// An array with whatever the memory had: who makes it fills it before anyone else sees it.
  @inline(__always)
  init(unfilled count: Int) { self.init(UnfilledBytes(count: count)) }
}
