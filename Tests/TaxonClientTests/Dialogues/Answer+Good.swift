// SPDX-License-Identifier: Apache-2.0
import TaxonCalls
import TaxonTransport

extension Answer {
  static let head: [Field] = [(":status", "200"), ("content-type", "application/grpc")]

  /// Bytes of a BytesValue.
  static func content(_ bytes: [UInt8]) -> [UInt8] { bytes.isEmpty ? [] : FrameBytes.field(1, bytes) }

  /// A message of the answer as it is on the wire.
  static func framed(_ bytes: [UInt8]) -> [UInt8] { FrameBytes.message(content(bytes)) }

  /// A message of the answer, compressed by gzip.
  static func compressed(_ bytes: [UInt8], by compressor: Compressor) -> [UInt8] {
    let content = content(bytes)
    let small = content.withUnsafeBytes { input in (try? compressor.compress(input) { Array($0) }) ?? [] }
    return FrameBytes.message(small, flag: 1)
  }

  // It has no state between messages, and the dialogues of a process are held on one thread.
  nonisolated(unsafe) static let gzip = try? Compressor(.gzip)

  mutating func add(delay: Int = 0, mayEndConnection: Bool = false, _ bytes: @escaping (_ stream: Int) -> [UInt8]) {
    steps.append(Step(delay: delay, bytes: bytes, mayEndConnection: mayEndConnection))
  }

  mutating func addHead(_ fields: [Field] = head, endStream: Bool = false, delay: Int = 0) {
    add(delay: delay) { FrameBytes.headers($0, fields, endStream: endStream) }
  }

  mutating func addData(_ bytes: [UInt8], endStream: Bool = false, delay: Int = 0) {
    add(delay: delay) { FrameBytes.data($0, bytes, endStream: endStream) }
  }

  mutating func addTrailers(_ fields: [Field] = [("grpc-status", "0")], delay: Int = 0) {
    add(delay: delay) { FrameBytes.headers($0, fields, endStream: true) }
  }

  private static func delay(_ random: inout RandomSource) -> Int { random.pick([0, 0, 0, 1, 3, 20]) }

  /// An answer that every client has to take, however unusual its form.
  static func good(_ many: Bool, _ random: inout RandomSource) -> Answer {
    var answer = Answer(name: "good")
    answer.waitsForEnd = random.percent(40)
    for _ in 0..<(many ? random.number(0...4) : 1) {
      answer.messages.append(random.bytes(random.pick([0, 1, 5, 100, 1000, 20_000])))
    }
    var head = head
    var isCompressed = false
    switch random.number(0...9) {
    case 0: head[1].value = "application/grpc+proto"
    case 1: head.append(("x-bin", "!broken!"))
    case 2: head += [("x-repeated", "1"), ("x-repeated", "2"), ("grpc-accept-encoding", "zstd,gzip")]
    case 3:
      head.append(("grpc-encoding", "gzip"))
      isCompressed = gzip != nil
    case 4: head.append(("grpc-encoding", "identity"))
    case 5: head += [("grpc-status", "13"), ("grpc-message", "a status in a head that ends nothing")]
    default: break
    }
    if isCompressed { answer.name += ", compressed" }
    if random.percent(10) {
      answer.name += ", after 1xx"
      answer.addHead([(":status", random.pick(["100", "103", "199"]))], delay: delay(&random))
    }
    answer.addHead(head, delay: delay(&random))
    for message in answer.messages {
      answer.addMessage(isCompressed ? gzip.map { compressed(message, by: $0) } ?? [] : framed(message), &random)
    }
    var trailers: [Field] = [("grpc-status", "0")]
    if random.percent(20) { trailers.append(("grpc-message", "All%20is%20well")) }
    if random.percent(10) { trailers.append(("x-trailing", "yes")) }
    answer.addTrailers(trailers, delay: delay(&random))
    if random.percent(5) {
      // So a server asks a client to stop that still sends (RFC 9113 §8.1).
      answer.name += ", then NO_ERROR"
      answer.add { FrameBytes.reset($0, 0) }
      answer.extraSteps = 1
    }
    return answer
  }

  /// A message in one DATA frame or several, with empty ones between and padding.
  private mutating func addMessage(_ bytes: [UInt8], _ random: inout RandomSource) {
    var rest = bytes[...]
    repeat {
      let count = random.percent(70) ? min(rest.count, 16_000) : random.number(0...min(rest.count, 2000))
      let part = Array(rest.prefix(count))
      rest = rest.dropFirst(count)
      let padding = random.percent(10) ? random.number(0...255) : nil
      add(delay: Self.delay(&random)) { FrameBytes.data($0, part, padding: padding) }
    } while !rest.isEmpty
  }
}
