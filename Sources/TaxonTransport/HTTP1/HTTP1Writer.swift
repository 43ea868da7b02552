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

  /// The status of a head.
  static func status(of block: HeaderBlock) -> Int {
    var status = 0
    block.forEachField { name, value in
      guard status == 0, name.equals(":status") else { return }
      for byte in value where byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") {
        status = status &* 10 &+ Int(byte - UInt8(ascii: "0"))
      }
    }
    return (100...999).contains(status) ? status : 500
  }

  /// Writes a head.
  ///
  /// - Parameters:
  ///   - trailers: Fields that are sent with the head, since they cannot be sent behind the body.
  ///   - connection: What is said of the connection's future; nil: nothing.
  static func write(
    _ head: HeaderBlock, trailers: HeaderBlock? = nil, status: Int, framing: Framing, connection: StaticString?,
    into buffer: inout ByteBuffer
  ) {
    buffer.writeStaticString("HTTP/1.1 ")
    buffer.writeString("\(status)")
    buffer.writeStaticString(" ")
    buffer.writeStaticString(reason(status))
    buffer.writeStaticString("\r\n")
    var hasLength = false
    write(head, into: &buffer, hasLength: &hasLength)
    if let trailers { write(trailers, into: &buffer, hasLength: &hasLength) }
    switch framing {
    case .length(let count) where !hasLength:
      buffer.writeStaticString("content-length: ")
      buffer.writeString("\(count)")
      buffer.writeStaticString("\r\n")
    case .chunked: buffer.writeStaticString("transfer-encoding: chunked\r\n")
    case .none, .length, .close: break
    }
    if let connection {
      buffer.writeStaticString("connection: ")
      buffer.writeStaticString(connection)
      buffer.writeStaticString("\r\n")
    }
    buffer.writeStaticString("\r\n")
  }

  /// True when the head says itself how long the body is.
  static func hasLength(_ head: HeaderBlock) -> Bool {
    var hasLength = false
    head.forEachField { name, _ in
      if name.equals("content-length") { hasLength = true }
    }
    return hasLength
  }

  /// Writes the end of a chunked body.
  static func writeEnd(_ trailers: HeaderBlock?, into buffer: inout ByteBuffer) {
    buffer.writeStaticString("0\r\n")
    var hasLength = false
    if let trailers { write(trailers, into: &buffer, hasLength: &hasLength) }
    buffer.writeStaticString("\r\n")
  }

  private static func write(_ block: HeaderBlock, into buffer: inout ByteBuffer, hasLength: inout Bool) {
    block.forEachField { name, value in
      // Pseudo header fields are HTTP/2's.
      guard let first = name.first, first != UInt8(ascii: ":") else { return }
      if name.equals("content-length") { hasLength = true }
      write(name, into: &buffer)
      buffer.writeStaticString(": ")
      write(value, into: &buffer)
      buffer.writeStaticString("\r\n")
    }
  }

  /// Writes a name or a value; what could end its line becomes a space (RFC 9110 §5.5).
  private static func write(_ text: UnsafeBufferPointer<UInt8>, into buffer: inout ByteBuffer) {
    buffer.writeBytes(UnsafeRawBufferPointer(text))
    guard let bad = text.firstIndex(where: { !HTTP1Bytes.isValue($0) }) else { return }
    for index in bad..<text.count where !HTTP1Bytes.isValue(text[index]) {
      buffer.setInteger(UInt8(ascii: " "), at: buffer.writerIndex - text.count + index)
    }
  }

  /// Writes the size of a chunk.
  static func writeChunkSize(_ size: Int, into buffer: inout ByteBuffer) {
    buffer.writeString(String(size, radix: 16))
    buffer.writeStaticString("\r\n")
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
