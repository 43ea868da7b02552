// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// Holds a client's session to its rules whatever a server sends: each call ends once, nothing comes after its end, and
/// the client sends no frame that it may not.
///
/// The input is a list of steps of the server's and of the calls', so that most of it is frames.
func fuzzClient(_ input: [UInt8]) {
  guard let client = FuzzedClient() else { preconditionFailure("there is no session") }
  var input = FuzzedInput(input)
  while let step = input.next(), client.take(Int(step), &input) {}
  client.end()
}

private struct FuzzedInput {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func next() -> UInt8? { rest.popFirst() }

  mutating func take(_ count: Int) -> [UInt8] {
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
}

/// What becomes of one call.
private final class FuzzedCall: ClientCall {
  private(set) var endings = 0
  private(set) var messages = 0
  /// The call ended with a status, which a server may send without a text.
  private var isStatus = false
  weak var stream: ClientStream?

  func receive(initial: Metadata) { precondition(endings == 0, "a head after the end") }

  func receive(
    _ message: UnsafeRawBufferPointer, size: Int, isCompressed: Bool
  ) throws(RPCError) -> KeptBytes {
    precondition(endings == 0, "a message after the end")
    messages += 1
    // Every third message waits to be read.
    return messages % 3 == 0 ? KeptBytes(window: size, memory: size + 64) : .none
  }

  func receiveEnd(_ end: CallEnd) {
    endings += 1
    precondition(endings == 1, "a second end")
    precondition(end.error?.status != .ok, "a failure that is none")
    precondition(end.error?.message.isEmpty != true || isStatus, "a failure that says nothing")
  }

  func error(for status: ReceivedStatus) -> (error: any TaxonomyError, notes: [WireNote]) {
    precondition(!isStatus, "a second status")
    isStatus = true
    return (RPCError.received(status).error, [])
  }

  func becameWritable() {}
}

private final class FuzzedClient {
  private let session: HTTP2Session
  private let checker = FrameChecker()
  private var calls: [(call: FuzzedCall, stream: ClientStream)] = []
  private let head = HeaderBlock([
    .init(":method", "POST"), .init(":scheme", "http"), .init(":path", "/fuzz/Call"), .init(":authority", "localhost"),
    .init("te", "trailers"), .init("content-type", "application/grpc"),
  ])

  init?() {
    do throws(HTTP2Error) {
      session = try HTTP2Session(role: .client, configuration: HTTP2Configuration())
    } catch {
      return nil
    }
    open(takesMany: false)
    open(takesMany: true)
    _ = drain()
    _ = receive(FrameBytes.settings())
  }

  private func open(takesMany: Bool) {
    guard calls.count < 20 else { return }
    let call = FuzzedCall()
    let exchange = session.makeStream()
    let stream = ClientStream(
      exchange, call: call, takesManyMessages: takesMany, maxMessageSize: 1000, maxHeaderListSize: 1000)
    call.stream = stream
    do {
      if !takesMany {
        try stream.request(Google_Protobuf_BytesValue(value: [1, 2, 3]), compression: nil)
      }
      try session.submitRequest(exchange, to: stream, head: head)
    } catch {
      // It has no number and is in no session.
      stream.connectionLost(ConnectionError.ConnectionLost(endpoint: "fuzz", error: "\(error)"))
    }
    calls.append((call, stream))
  }

  /// One step. False: the connection is over.
  func take(_ step: Int, _ input: inout FuzzedInput) -> Bool {
    let place = step >> 4
    switch step & 15 {
    case 0...8:
      // A frame: type, stream, flags, length, payload.
      let flags = input.next() ?? 0
      let payload = input.take(Int(input.next() ?? 0))
      let stream = [1, 3, 5, 7, 9, 0, 2, 99][place & 7]
      return receive(FrameBytes.frame(UInt8(step & 15), flags: flags, stream: stream, payload))
    case 9:
      // A head or trailers, in literals.
      let fields: [[Field]] = [
        [(":status", "200"), ("content-type", "application/grpc")], [("grpc-status", "0")],
        [("grpc-status", "5"), ("grpc-message", "gone")], [(":status", "100")],
        [(":status", "200"), ("content-type", "application/grpc"), ("grpc-encoding", "gzip")],
        [(":status", "503"), ("content-type", "text/html")],
        [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", "0")],
        [("grpc-status", "14"), ("grpc-retry-pushback-ms", "5"), ("grpc-status-details-bin", "AAAA")],
      ]
      let what = Int(input.next() ?? 0)
      let bytes = FrameBytes.headers(1 + 2 * place, fields[what & 7], endStream: what & 8 != 0)
      return receive(bytes)
    case 10:
      let message = FrameBytes.message(input.take(Int(input.next() ?? 0)))
      return receive(FrameBytes.data(1 + 2 * (place & 7), message, endStream: place & 8 != 0))
    case 11: return receive(input.take(Int(input.next() ?? 0)))
    case 12:
      open(takesMany: place & 1 == 1)
      if place & 2 == 0 { return drain() }
    case 13:
      let (call, stream) = calls[place % calls.count]
      stream.abandon(RPCError.cancelled)
      precondition(call.endings == 1, "a call that was given up goes on")
      if place & 8 == 0 { return drain() }
    case 14:
      let stream = calls[place % calls.count].stream
      if !stream.exchange.isFinished {
        if place & 8 == 0 {
          stream.exchange.send(Int(input.next() ?? 0) * 300) { $0.initializeMemory(as: UInt8.self, repeating: 0) }
        } else {
          stream.exchange.finish(trailers: nil)
        }
      }
      return drain()
    default:
      if place == 0 { session.submitGoAway(errorCode: .noError) }
      return drain()
    }
    return true
  }

  private func receive(_ bytes: [UInt8]) -> Bool {
    checker.reaches(bytes)
    do {
      try bytes.withUnsafeBytes { try session.receive($0) }
    } catch {
      _ = drain()
      return false
    }
    return drain()
  }

  private func drain() -> Bool {
    do throws(HTTP2Error) {
      try session.drain { bytes in
        _ = checker.take(Array(bytes))
        return true
      }
    } catch {
      return false
    }
    if let violation = checker.violations.first { preconditionFailure("the client sent \(violation)") }
    return !session.isFinished
  }

  /// The connection is gone.
  func end() {
    session.connectionLost()
    precondition(session.streams.isEmpty, "streams are left")
    for (call, _) in calls { precondition(call.endings == 1, "a call has no end") }
  }
}
