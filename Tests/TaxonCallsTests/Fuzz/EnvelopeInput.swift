// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

@testable import TaxonCalls
@testable import TaxonTransport

private let paths = ["/f/Unary", "/f/Up", "/f/Down", "/f/Both"]
private let encodings = [nil, "gzip", "deflate", "identity", "br"]

/// Holds bodies and targets of gRPC-Web, Connect and JSON to what a plain reader takes them for, however they are cut, and what is
/// written to what is read.
///
/// The input is three parts with line ends between them: a choice of form, method, encoding and end, with sizes of pieces behind it;
/// a query and words; and a body.
func fuzzEnvelopes(_ input: [UInt8]) {
  let parts = input.split(separator: 10, maxSplits: 2, omittingEmptySubsequences: false).map(Array.init)
  let plan = Array(parts[0].prefix(100))
  let words = parts.count > 1 ? parts[1] : []
  let body = parts.count > 2 ? Array(parts[2].prefix(4096)) : []
  func choice(_ place: Int) -> Int { plan.count > place ? Int(plan[place]) : 0 }

  let form = EnvelopeForm.all[choice(0) % EnvelopeForm.all.count]
  let path = paths[choice(1) % paths.count]
  let encoding = encodings[choice(2) % encodings.count]
  let cuts = plan.dropFirst(4).map { Int($0 & 31) } + [7]
  checkBase64(body, cuts)
  checkQuery(words)
  checkGet(words)
  checkRequest(form, path, encoding, body, cuts)
  var end = EnvelopeEnd()
  let text = String(decoding: words.prefix(200), as: UTF8.self)
  if choice(3) & 1 == 1 { end.failure = text }
  if choice(3) & 2 == 2 {
    end.trailing.add("x-text", text)
    end.trailing.add("x-end-bin", bytes: words)
  }
  end.compresses = [nil, true, false, true][choice(3) >> 2 & 3]
  checkRoundTrip(
    form, path, encoding, body.split(separator: 10, omittingEmptySubsequences: false).map(Array.init), cuts, end)
}

private func checkBase64(_ text: [UInt8], _ cuts: [Int]) {
  let expected = EnvelopeReference.groups(text)
  var reader = Base64Text()
  var (bytes, rest, cuts) = ([UInt8](), text[...], cuts[...])
  var isGood = true
  while isGood, !rest.isEmpty {
    let piece = Array(rest.prefix(max(1, cuts.first ?? 1)))
    if cuts.count > 1 { cuts.removeFirst() }
    rest = rest.dropFirst(piece.count)
    isGood = piece.withUnsafeBytes { reader.decode($0, into: &bytes) }
  }
  precondition(isGood == !expected.isFaulty, "Base64 is taken, or refused, and should not be")
  // Of the group that is none, bytes may be there.
  precondition(isGood ? bytes == expected.bytes : bytes.starts(with: expected.bytes), "Base64 stands for other bytes")
  precondition(!isGood || reader.isAtBoundary == !expected.isCut, "Base64 ends elsewhere")
  precondition(
    text.withUnsafeBufferPointer { Base64.decode($0) } == EnvelopeReference.base64(text), "Base64 is for other bytes")
  precondition(Base64.encode(text, isPadded: true) == EnvelopeReference.encode(text), "bytes have another Base64")
}

private func checkQuery(_ words: [UInt8]) {
  let text = String(decoding: words, as: UTF8.self)
  let items = RequestTarget(text).items
  let expected = EnvelopeReference.query(Array(text.utf8))
  precondition(items.count == expected.count, "a query has other items")
  for (item, other) in zip(items, expected) {
    precondition(
      item.name == String(decoding: other.name, as: UTF8.self)
        && item.value == String(decoding: other.value, as: UTF8.self), "an item of a query is another")
  }
}

/// A call by GET (Connect, "Unary-Get-Request").
private func checkGet(_ words: [UInt8]) {
  let target = "/f/Unary?" + String(decoding: words.filter { $0 > 32 && $0 < 127 }, as: UTF8.self)
  let outcome = EnvelopeOutcome(
    [(":method", "GET"), (":scheme", "http"), (":path", target), (":authority", "fuzz")], [], cuts: [])
  let expected = getMessage(Array(target.utf8))
  precondition(outcome.isFaulty == (expected == nil), "a GET is taken, or refused, and should not be")
  precondition(outcome.messages == (expected.map { [$0] } ?? []), "a GET has another message")
  _ = EnvelopeAnswer(outcome.exchange)
}

private func getMessage(_ target: [UInt8]) -> [UInt8]? {
  let items = EnvelopeReference.query(target)
  func value(_ name: String) -> [UInt8]? { items.first { $0.name.elementsEqual(name.utf8) }?.value }
  func text(_ name: String) -> String? { value(name).map { String(decoding: $0, as: UTF8.self) } }
  guard ["json", "proto"].contains(text("encoding")), [nil, "v1"].contains(text("connect")),
    [nil, "0", "1"].contains(text("base64")), var message = value("message")
  else { return nil }
  if text("base64") == "1" {
    guard let bytes = EnvelopeReference.base64(message) else { return nil }
    message = bytes
  }
  guard message.count <= EnvelopeOutcome.limit else { return nil }
  return decompressed(message, text("compression"))
}

/// The message; nil when it cannot be had of what came.
private func decompressed(_ message: [UInt8], _ encoding: String?) -> [UInt8]? {
  switch encoding {
  case nil, "", "identity": return message
  case let name?:
    guard let compression = Compression(rawValue: name) else { return nil }
    return EnvelopeForm.all[0].decompressed(message, compression, limit: EnvelopeOutcome.limit)
  }
}

// MARK: Bodies

private func checkRequest(_ form: EnvelopeForm, _ path: String, _ encoding: String?, _ body: [UInt8], _ cuts: [Int]) {
  let head = form.head(path, encoding: encoding)
  let (messages, isFaulty, isExact) = expected(form, path, encoding, body)
  for (cuts, holds) in [([body.count], false), ([1], false), (cuts, false), (cuts, true)] {
    let outcome = EnvelopeOutcome(head, body, cuts: cuts, holds: holds)
    precondition(outcome.isFaulty == isFaulty, "a request is taken, or refused, and should not be")
    // What comes in the same piece as bad Base64 is not handed on.
    precondition(
      isExact ? outcome.messages == messages : messages.starts(with: outcome.messages), "a request has other messages")
    _ = EnvelopeAnswer(outcome.exchange)
  }
}

/// What a call is given of a body, and whether it fails.
private func expected(
  _ form: EnvelopeForm, _ path: String, _ encoding: String?, _ body: [UInt8]
) -> (messages: [[UInt8]], isFaulty: Bool, isExact: Bool) {
  let isKnown = encoding == nil || encoding == "identity" || Compression(rawValue: encoding ?? "") != nil
  guard form.suits(path), isKnown else { return ([], true, true) }
  if form.framing == .whole {
    guard body.count <= EnvelopeOutcome.limit, let message = decompressed(body, encoding) else {
      return ([], true, true)
    }
    return ([message], false, true)
  }
  let text = form.framing == .base64 ? EnvelopeReference.groups(body) : (body, false, false)
  let (frames, isFaulty, isCut) = EnvelopeReference.frames(text.0, limit: EnvelopeOutcome.limit) { $0 <= 1 }
  var messages: [[UInt8]] = []
  let takesMany = path == "/f/Up" || path == "/f/Both"
  for (flag, bytes) in frames {
    guard flag == 0 || encoding != nil && encoding != "identity", takesMany || messages.isEmpty,
      let message = flag == 0 ? bytes : decompressed(bytes, encoding)
    else { return (messages, true, !text.1) }
    messages.append(message)
  }
  return (messages, text.1 || text.2 || isFaulty || isCut || messages.isEmpty && !takesMany, !text.1)
}

/// Messages are written as a client would, and the answer has them again.
private func checkRoundTrip(
  _ form: EnvelopeForm, _ path: String, _ encoding: String?, _ messages: [[UInt8]], _ cuts: [Int], _ end: EnvelopeEnd
) {
  guard form.suits(path), encoding != "br" else { return }
  let takesMany = path == "/f/Up" || path == "/f/Both"
  let messages = (takesMany ? messages : Array(messages.prefix(1))).map { Array($0.prefix(EnvelopeOutcome.limit / 2)) }
  let settings = encoding.flatMap { Compression(rawValue: $0) }.map { CompressionSettings($0, minimumSize: 10) }
  var framer = MessageFramer(settings, codec: form.codec, framing: form.framing)
  var body = OutboundBuffer()
  for message in messages {
    guard (try? framer.append(Google_Protobuf_BytesValue(value: message), compress: nil, to: &body)) != nil else {
      preconditionFailure("a message cannot be written")
    }
  }
  // A body that is the message says with the head how it is compressed.
  let isPlain = form.framing == .whole && !framer.hasCompressed
  let outcome = EnvelopeOutcome(form.head(path, encoding: isPlain ? nil : encoding), bytes(&body), cuts: cuts, end: end)
  precondition(!outcome.isFaulty, "what was written cannot be read")
  let read = outcome.messages.map { try? form.decoded($0) }
  precondition(read == messages.map { $0 }, "other messages are read than were written")

  var answer = EnvelopeAnswer(outcome.exchange)
  let isUnary = path == "/f/Unary"
  // gRPC tells details of errors in fields that the exchange of the tests does not show.
  if form.kind == .grpc, end.failure != nil { return }
  answer.read(form)
  var expected: [[UInt8]] = isUnary && end.failure != nil ? [] : outcome.messages
  if isUnary, end.failure == nil, expected.isEmpty { expected = [[]] }
  precondition(answer.messages == expected, "other messages are answered")
  precondition((answer.error == nil) == (end.failure == nil), "an answer has failed, or should have")
  if let failure = end.failure { precondition(answer.error?.message == failure, "an error has another message") }
  precondition(
    answer.trailing.sorted()
      == HeaderBlock.Field.fields(of: end.trailing).map {
        "\($0.name): \(String(decoding: $0.bytes, as: UTF8.self))"
      }.sorted(), "other trailing metadata")
}

private func bytes(_ buffer: inout OutboundBuffer) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: buffer.count)
  _ = bytes.withUnsafeMutableBytes { buffer.read(into: $0) }
  return bytes
}
