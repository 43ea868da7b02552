// SPDX-License-Identifier: Apache-2.0

extension String: FieldValue {
  /// Sixteen bytes: a length and a pointer.
  @inlinable public static var stride: Int { 16 }

  /// Takes a value out of memory that protobuf-c has filled. Throws when it is not UTF-8.
  public static func lift(_ memory: UnsafeRawPointer, _ arena: MessageArena) throws(MessageDecodingError) -> String {
    let count = memory.load(as: Int.self)
    if count == 0 { return "" }
    // protobuf-c sets the pointer when there are bytes.
    let start = memory.load(fromByteOffset: 8, as: UnsafePointer<UInt8>.self)
    guard let string = String(checking: UnsafeBufferPointer(start: start, count: count)) else {
      throw MessageDecodingError.invalidUTF8
    }
    return string
  }

  /// Whether it is empty.
  @inlinable public var isDefault: Bool { isEmpty }

  /// Puts the value where protobuf-c will find it.
  public func lower(to memory: UnsafeMutableRawPointer, _ arena: MessageArena) {
    let isDone: Void? = utf8.withContiguousStorageIfAvailable { arena.store($0, to: memory) }
    if isDone == nil { Array(utf8).withUnsafeBufferPointer { arena.store($0, to: memory) } }
  }

  /// A string from UTF-8; nil when it is none.
  init?(checking bytes: UnsafeBufferPointer<UInt8>) {
    if #available(macOS 26, *) {
      // Four times as fast as `String(validating:)`, which goes through the scalars one by one.
      guard let span = try? UTF8Span(validating: bytes.span) else { return nil }
      self.init(copying: span)
    } else {
      self.init(validating: bytes, as: UTF8.self)
    }
  }

  /// Where the first character begins that is not UTF-8; nil where all are.
  static func firstFault(in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var position = 0
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let character): position += character.count
      case .error: return position
      case .emptyInput: return nil
      }
    }
  }
}
