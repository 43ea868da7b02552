// SPDX-License-Identifier: Apache-2.0

/// Looks at the raw bytes of head sections before the decoder has them, and at those between the pieces of a chunked body:
/// what two readers may take for different requests is refused (RFC 9112 §11.2), however kindly the decoder would read it.
/// It finds where a section ends, and knows nothing of what its fields mean. No I/O.
struct HTTP1Guard {
  /// Where in a line the bytes stand.
  private enum Place {
    case requestStart, method, target, version, requestEnd
    case lineStart, name, value, lineEnd, sectionEnd, done
  }

  private var place = Place.requestStart
  /// An empty line has come before the request.
  private var hasEmptyLine = false
  private var version: UInt64 = 0
  private var versionSize = 0

  /// "HTTP/1." as the first seven bytes of a number.
  private static let http1: UInt64 = 0x4854_5450_2F31_2E
  private static let http: UInt64 = 0x4854_5450_2F

  /// A guard that waits for a request.
  init() {}

  /// A guard of trailers, which are lines of fields alone.
  static var ofTrailers: HTTP1Guard {
    var guardian = HTTP1Guard()
    guardian.place = .lineStart
    return guardian
  }

  /// Looks at bytes of a section in the order in which they come.
  ///
  /// - Returns: How many of them belong to the section, when it is complete; nil when it goes on.
  /// - Throws: `HTTP1Fault` at the first byte that may not be there.
  mutating func scan(_ bytes: UnsafeRawBufferPointer) throws(HTTP1Fault) -> Int? {
    var index = 0
    while index < bytes.count {
      index = skip(bytes, from: index)
      guard index < bytes.count else { break }
      try advance(bytes[index])
      index += 1
      if place == .done { return index }
    }
    return nil
  }

  /// Where the bytes end of which there may be any number.
  private func skip(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var index = start
    switch place {
    case .name, .method: while index < bytes.count, HTTP1Bytes.isToken(bytes[index]) { index += 1 }
    case .value: index = HTTP1Bytes.endOfValue(bytes, from: index)
    case .target: while index < bytes.count, HTTP1Bytes.isVisible(bytes[index]) { index += 1 }
    default: break
    }
    return index
  }

  private mutating func advance(_ byte: UInt8) throws(HTTP1Fault) {
    switch place {
    case .requestStart:
      if HTTP1Bytes.isToken(byte) { return place = .method }
      guard byte == UInt8(ascii: "\r"), !hasEmptyLine else { throw .malformed("A request begins with its method") }
      hasEmptyLine = true
      place = .requestEnd
    case .method:
      guard byte == UInt8(ascii: " ") else { throw .malformed("The method has a byte that no method has") }
      place = .target
    case .target:
      guard byte == UInt8(ascii: " ") else { throw .malformed("The target has a byte that no target has") }
      (place, version, versionSize) = (.version, 0, 0)
    case .version: try advanceVersion(byte)
    case .requestEnd:
      guard byte == UInt8(ascii: "\n") else { throw .malformed("A line ends with CR alone") }
      place = versionSize == 0 ? .requestStart : .lineStart
    case .lineStart:
      if HTTP1Bytes.isToken(byte) { return place = .name }
      guard byte == UInt8(ascii: "\r") else { throw Self.lineFault(byte) }
      place = .sectionEnd
    case .name:
      guard byte == UInt8(ascii: ":") else { throw .malformed("The name of a field has a byte that no name has") }
      place = .value
    case .value:
      guard byte == UInt8(ascii: "\r") else {
        throw .malformed(byte == UInt8(ascii: "\n") ? "A line ends with LF alone" : "A field has a control character")
      }
      place = .lineEnd
    case .lineEnd:
      guard byte == UInt8(ascii: "\n") else { throw .malformed("A line ends with CR alone") }
      place = .lineStart
    case .sectionEnd:
      guard byte == UInt8(ascii: "\n") else { throw .malformed("A line ends with CR alone") }
      place = .done
    case .done: break
    }
  }

  private mutating func advanceVersion(_ byte: UInt8) throws(HTTP1Fault) {
    if versionSize < 8 {
      version = version << 8 | UInt64(byte)
      versionSize += 1
      return
    }
    guard byte == UInt8(ascii: "\r") else {
      throw .malformed(byte == UInt8(ascii: "\n") ? "A line ends with LF alone" : "The request line has no version")
    }
    guard version >> 24 == Self.http else { throw .malformed("The request line has no version") }
    let minor = UInt8(truncatingIfNeeded: version)
    guard version >> 8 == Self.http1, minor == UInt8(ascii: "0") || minor == UInt8(ascii: "1") else {
      throw HTTP1Fault(505, "The server speaks HTTP/1.1 and HTTP/2")
    }
    place = .requestEnd
  }

  private static func lineFault(_ byte: UInt8) -> HTTP1Fault {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"): .malformed("A line begins with white space (obs-fold)")
    case UInt8(ascii: "\n"): .malformed("A line ends with LF alone")
    case UInt8(ascii: ":"): .malformed("A field has no name")
    default: .malformed("The name of a field has a byte that no name has")
    }
  }
}

/// Looks at what is between the pieces of a chunked body (RFC 9112 §7.1). No I/O.
struct ChunkGuard {
  /// What comes next of the body.
  private enum Place {
    case size(digits: Int)
    case extensions
    case sizeEnd
    case data
    case dataEnd, dataLineEnd
    case trailers
  }

  private var place = Place.size(digits: 0)
  /// Bytes of the chunk that are still to come.
  private var left: UInt64 = 0
  private var extensionSize = 0
  private var trailers = HTTP1Guard.ofTrailers
  private var trailersSize = 0
  private let trailersLimit: Int
  /// Chunks that were smaller than a sender has reason for, and the others, since this was last reset.
  var smallChunks = 0
  var otherChunks = 0

  /// Bytes of the extensions of a chunk.
  static let maxExtension = 256
  private static let maxDigits = 15

  /// - Parameter trailersLimit: Bytes of the trailers.
  init(trailersLimit: Int) { self.trailersLimit = trailersLimit }

  /// Looks at bytes of the body in the order in which they come.
  ///
  /// - Parameter limit: How many bytes of data may be handed on; 0 stops before the first.
  /// - Returns: How many of the bytes may be handed on, how many of them are data, and whether the body ends with them.
  /// - Throws: `HTTP1Fault` at the first byte that may not be there.
  mutating func scan(
    _ bytes: UnsafeRawBufferPointer, limit: Int
  ) throws(HTTP1Fault) -> (count: Int, data: Int, isEnd: Bool) {
    var (index, data) = (0, 0)
    while index < bytes.count {
      switch place {
      case .data:
        let count = Int(min(left, UInt64(min(bytes.count - index, limit - data))))
        guard count > 0 else { return (index, data, false) }
        index += count
        data += count
        left -= UInt64(count)
        if left == 0 { place = .dataEnd }
      case .trailers:
        let rest = UnsafeRawBufferPointer(rebasing: bytes[index...])
        let end = try trailers.scan(rest)
        trailersSize += end ?? rest.count
        guard trailersSize <= trailersLimit else {
          throw HTTP1Fault(431, "The trailers are over the limit of \(trailersLimit) bytes", limit: "header_list")
        }
        return (index + (end ?? rest.count), data, end != nil)
      default:
        try advance(bytes[index])
        index += 1
      }
    }
    return (index, data, false)
  }

  private mutating func advance(_ byte: UInt8) throws(HTTP1Fault) {
    switch place {
    case .size(let digits):
      if let digit = HTTP1Bytes.hexadecimal(byte) {
        guard digits < Self.maxDigits else { throw .malformed("The size of a chunk has too many digits") }
        left = (digits == 0 ? 0 : left) << 4 | digit
        return place = .size(digits: digits + 1)
      }
      guard digits > 0 else { throw .malformed("A chunk has no size") }
      switch byte {
      case UInt8(ascii: "\r"): place = .sizeEnd
      case UInt8(ascii: ";"): (place, extensionSize) = (.extensions, 1)
      default: throw .malformed("The size of a chunk has a byte that is no digit")
      }
    case .extensions:
      if byte == UInt8(ascii: "\r") { return place = .sizeEnd }
      guard HTTP1Bytes.isValue(byte) else { throw .malformed("The extensions of a chunk have a control character") }
      extensionSize += 1
      guard extensionSize <= Self.maxExtension else {
        throw .malformed("The extensions of a chunk are over the limit of \(Self.maxExtension) bytes")
      }
    case .sizeEnd:
      guard byte == UInt8(ascii: "\n") else { throw .malformed("A line ends with CR alone") }
      place = left == 0 ? .trailers : .data
      if left > 0 { if left < FloodGuard.smallSize { smallChunks += 1 } else { otherChunks += 1 } }
    case .dataEnd:
      guard byte == UInt8(ascii: "\r") else { throw .malformed("A chunk is longer than its size") }
      place = .dataLineEnd
    case .dataLineEnd:
      guard byte == UInt8(ascii: "\n") else { throw .malformed("A line ends with CR alone") }
      place = .size(digits: 0)
    case .data, .trailers: break
    }
  }
}
