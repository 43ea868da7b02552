// SPDX-License-Identifier: Apache-2.0
import CNghttp2
import NIOCore

/// Writes answers of HTTP/1.1 from the header blocks of HTTP/2 (RFC 9112).
enum HTTP1Writer {
  /// How the end of the body is said.
  enum Framing: Equatable {
    /// There is none.
    case none
    /// The body has so many bytes.
    case length(Int)
    case chunked
    /// The connection ends with it (HTTP/1.0).
    case close
  }

  /// What is known of a block before it is written.
  struct Measure {
    /// The status; 500 when the block has none.
    private(set) var status = 500
    /// The block says itself how long the body is.
    private(set) var hasLength = false
    /// Bytes of its fields with what stands between them.
    private(set) var size = 0

    init(_ block: HeaderBlock) {
      block.forEachField { name, value in
        size += name.count + value.count + HTTP1Writer.separators
        switch name.count {
        case 7 where name.equals(":status"):
          var number = 0
          for byte in value { number = number &* 10 &+ Int(byte &- UInt8(ascii: "0")) }
          if (100...999).contains(number) { status = number }
        case 14 where name.equals("content-length"): hasLength = true
        default: break
        }
      }
    }
  }

  /// ": " and the end of a line.
  private static let separators = 4
  /// The most that is written of a head beside its fields and the words of the status.
  private static let extraSize = 160

  /// Writes a head.
  ///
  /// - Parameters:
  ///   - trailers: Fields that are sent with the head, since they cannot be sent behind the body.
  ///   - connection: What is said of the connection's future; nil: nothing.
  static func write(
    _ head: HeaderBlock, _ measure: Measure, trailers: HeaderBlock? = nil, framing: Framing, connection: StaticString?,
    into buffer: inout ByteBuffer
  ) {
    let early = trailers.map { Measure($0) }
    let hasLength = measure.hasLength || early?.hasLength == true
    let size = measure.size + (early?.size ?? 0) + extraSize
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
      var text = Text(bytes)
      text.add("HTTP/1.1 ")
      text.add(measure.status)
      text.add(" ")
      text.add(reason(measure.status))
      text.add("\r\n")
      text.add(head)
      if let trailers { text.add(trailers) }
      switch framing {
      case .length(let count) where !hasLength:
        text.add("content-length: ")
        text.add(count)
        text.add("\r\n")
      case .chunked: text.add("transfer-encoding: chunked\r\n")
      case .none, .length, .close: break
      }
      if let connection {
        text.add("connection: ")
        text.add(connection)
        text.add("\r\n")
      }
      text.add("\r\n")
      return text.count
    }
  }

  /// Writes an answer that refuses a request and ends the connection.
  static func write(_ fault: HTTP1Fault, hasBody: Bool, into buffer: inout ByteBuffer) {
    let text = fault.reason + "\n"
    let head = HeaderBlock([
      .init(":status", "\(fault.status)"), .init("content-type", "text/plain; charset=utf-8"),
    ])
    write(head, Measure(head), framing: .length(text.utf8.count), connection: "close", into: &buffer)
    if hasBody { buffer.writeString(text) }
  }

  /// Writes the end of a chunked body.
  static func writeEnd(_ trailers: HeaderBlock?, into buffer: inout ByteBuffer) {
    let size = (trailers.map { Measure($0).size } ?? 0) + 5
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
      var text = Text(bytes)
      text.add("0\r\n")
      if let trailers { text.add(trailers) }
      text.add("\r\n")
      return text.count
    }
  }

  /// Writes the size of a chunk.
  static func writeChunkSize(_ size: Int, into buffer: inout ByteBuffer) {
    buffer.writeString(String(size, radix: 16))
    buffer.writeStaticString("\r\n")
  }

  /// Lines in memory that has room for all of them.
  private struct Text {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    mutating func add(_ text: StaticString) {
      add(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// A number from 0.
    mutating func add(_ number: Int) {
      var (size, rest) = (1, number)
      while rest >= 10 { (rest, size) = (rest / 10, size + 1) }
      precondition(size <= memory.count - count, "there is room for every number")
      rest = number
      for index in stride(from: count + size - 1, through: count, by: -1) {
        memory[index] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
      }
      count += size
    }

    /// The fields but for those that are HTTP/2's.
    mutating func add(_ block: HeaderBlock) {
      block.forEachField { name, value in
        guard let first = name.first, first != UInt8(ascii: ":") else { return }
        addField(name)
        add(": ")
        addField(value)
        add("\r\n")
      }
    }

    /// A name or a value; what could end its line becomes a space (RFC 9110 §5.5).
    private mutating func addField(_ text: UnsafeBufferPointer<UInt8>) {
      let start = count
      add(text)
      for index in text.indices where !HTTP1Bytes.isValue(text[index]) { memory[start + index] = UInt8(ascii: " ") }
    }

    private mutating func add(_ text: UnsafeBufferPointer<UInt8>) {
      precondition(text.count <= memory.count - count, "there is room for every field")
      guard let start = text.baseAddress else { return }
      // There is memory where there is room.
      memory.baseAddress!.advanced(by: count).copyMemory(from: start, byteCount: text.count)
      count += text.count
    }
  }

  /// The words that go with a status (RFC 9110 §15); they mean nothing to programs.
  static func reason(_ status: Int) -> StaticString {
    switch status {
    case 100: "Continue"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 206: "Partial Content"
    case 304: "Not Modified"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 411: "Length Required"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 415: "Unsupported Media Type"
    case 417: "Expectation Failed"
    case 422: "Unprocessable Content"
    case 428: "Precondition Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 499: "Client Closed Request"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: ""
    }
  }
}

extension HeaderBlock {
  /// Calls `body` with each field in its order; the literal ones, which are read out of their form of HPACK, last.
  @inline(__always)
  func forEachField(_ body: (_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) -> Void) {
    for field in fields {
      body(
        UnsafeBufferPointer(start: field.name, count: field.namelen),
        UnsafeBufferPointer(start: field.value, count: field.valuelen))
    }
    var position = 0
    while position < literals.count {
      // The byte that says what it is (RFC 7541 §6.2.3).
      position += 1
      let name = literalText(&position)
      let value = literalText(&position)
      body(name, value)
    }
  }

  /// A string without Huffman code, as `HeaderWriter` has written it.
  private func literalText(_ position: inout Int) -> UnsafeBufferPointer<UInt8> {
    var length = Int(literals[position])
    position += 1
    if length == 0x7F {
      var shift = 0
      var byte: UInt8
      repeat {
        byte = literals[position]
        position += 1
        length += Int(byte & 0x7F) << shift
        shift += 7
      } while byte & 0x80 != 0
    }
    defer { position += length }
    return UnsafeRawBufferPointer(rebasing: literals[position..<position + length]).bindMemory(to: UInt8.self)
  }
}
