// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

@testable import TaxonCalls

/// An answer as a client of its protocol reads it, who takes nothing that the protocol does not have.
struct EnvelopeAnswer {
  private(set) var status = 0
  private var head: [String] = []
  private var body: [UInt8] = []
  /// Trailers of HTTP.
  private var end: [String] = []
  private(set) var messages: [[UInt8]] = []
  /// Metadata behind the messages, without what says how the call has ended.
  private(set) var trailing: [String] = []
  /// The code of an error in the protocol's words, and its message.
  private(set) var error: (code: String, message: String)?

  init(_ exchange: FakeExchange) {
    var (heads, ends) = (0, 0)
    for event in exchange.events {
      switch event {
      case .head(let fields):
        head = fields
        heads += 1
      case .headersOnly(let fields):
        (head, end) = (fields, fields)
        (heads, ends) = (heads + 1, ends + 1)
      case .body(let bytes):
        precondition(ends == 0, "a body behind the end")
        body += bytes
      case .end(let fields):
        end = fields
        ends += 1
      case .reset: preconditionFailure("an answer is reset")
      case .resetWhenAnswered: break
      }
    }
    precondition(heads == 1 && ends == 1, "an answer has one head and one end")
    status = Int(value(":status", head) ?? "") ?? 0
    precondition((200...599).contains(status), "no status: \(head)")
    for field in head.dropFirst() {
      precondition(!field.contains(where: \.isNewline), "a field of two lines: \(field)")
    }
  }

  private func value(_ name: String, _ fields: [String]) -> String? {
    fields.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
  }

  // MARK: The protocols

  /// Reads the answer of a call.
  mutating func read(_ form: EnvelopeForm) {
    let type = value("content-type", head) ?? ""
    switch form.kind {
    case .grpc:
      precondition(status == 200 && type == form.answerType, "no answer of gRPC: \(head)")
      readFrames(body, form, last: nil)
      readEnd(end)
    case .grpcWeb, .grpcWebText:
      precondition(status == 200 && type == form.answerType, "no answer of gRPC-Web: \(head)")
      guard form.kind == .grpcWebText else { return readFrames(body, form, last: 0x80) }
      let (bytes, isFaulty, isCut) = EnvelopeReference.groups(body)
      precondition(!isFaulty && !isCut, "the body is not Base64")
      readFrames(bytes, form, last: 0x80)
    case .connectStreaming:
      precondition(status == 200 && type == form.answerType, "no answer of Connect: \(head)")
      readFrames(body, form, last: 2)
    case .connect, .json:
      guard status == 200 else {
        precondition(type == "application/json", "an error is no JSON: \(head)")
        return readError(body, form)
      }
      precondition(type == form.answerType, "no answer of Connect: \(head)")
      messages = [message(body, form, isCompressed: value("content-encoding", head) == "gzip")]
      for field in head where field.hasPrefix(form.kind == .connect ? "trailer-x-" : "x-") {
        trailing.append(String(field.dropFirst(form.kind == .connect ? 8 : 0)))
      }
    }
  }

  private mutating func readFrames(_ bytes: [UInt8], _ form: EnvelopeForm, last: UInt8?) {
    let (frames, isFaulty, isCut) = EnvelopeReference.frames(bytes, limit: .max) { $0 <= 1 || $0 == last }
    precondition(!isFaulty && !isCut, "a body is no frames")
    for (flag, bytes) in frames where flag <= 1 {
      precondition(flag == 0 || value(form.encodingName, head) == "gzip", "a message is compressed without a word")
      messages.append(message(bytes, form, isCompressed: flag == 1))
    }
    guard let last else { return }
    guard let end = frames.last, end.flag == last, frames.dropLast().allSatisfy({ $0.flag <= 1 }) else {
      preconditionFailure("a body has no end, or something behind it")
    }
    if last == 2 { readEndOfStream(end.message) } else { readEnd(lines(end.message)) }
  }

  /// A message as the call gave it.
  private func message(_ bytes: [UInt8], _ form: EnvelopeForm, isCompressed: Bool) -> [UInt8] {
    let bytes = isCompressed ? form.decompressed(bytes, .gzip) : bytes
    guard let bytes, let value = try? form.decoded(bytes) else { preconditionFailure("a message cannot be read") }
    return value
  }

  private func lines(_ bytes: [UInt8]) -> [String] {
    let text = String(decoding: bytes, as: UTF8.self)
    precondition(text.isEmpty || text.hasSuffix("\r\n"), "trailers do not end with their line")
    let lines = text.split(separator: "\r\n").map(String.init)
    for line in lines {
      precondition(line.contains(": ") && line.utf8.allSatisfy { $0 >= 32 && $0 < 127 }, "no trailer: \(line)")
    }
    return lines
  }

  private mutating func readEnd(_ fields: [String]) {
    guard let status = value("grpc-status", fields).flatMap({ Int($0) }) else { preconditionFailure("no grpc-status") }
    trailing = fields.filter { $0.hasPrefix("x-") }
    guard status != 0 else { return }
    error = ("\(status)", value("grpc-message", fields).map { GRPCMessage.decode($0.utf8) } ?? "")
  }

  private mutating func readEndOfStream(_ json: [UInt8]) {
    guard let end = try? Google_Protobuf_Struct(json: json) else { preconditionFailure("the end is no JSON") }
    if case .structValue(let metadata)? = end.fields["metadata"]?.kind {
      for (name, values) in metadata.fields.sorted(by: { $0.key < $1.key }) {
        guard case .listValue(let list)? = values.kind else { preconditionFailure("metadata has no list") }
        for value in list.values {
          if case .stringValue(let text)? = value.kind { trailing.append("\(name): \(text)") }
        }
      }
    }
    if case .structValue(let error)? = end.fields["error"]?.kind { read(error, code: "code") }
  }

  private mutating func readError(_ json: [UInt8], _ form: EnvelopeForm) {
    guard let error = try? Google_Protobuf_Struct(json: json) else { preconditionFailure("an error is no JSON") }
    read(error, code: form.kind == .json ? "error" : "code")
    precondition(error.fields["message"] != nil || self.error?.message == "", "an error without a message")
    trailing = head.filter { $0.hasPrefix(form.kind == .connect ? "trailer-x-" : "x-") }.map {
      String($0.dropFirst(form.kind == .connect ? 8 : 0))
    }
  }

  private mutating func read(_ error: Google_Protobuf_Struct, code: String) {
    guard case .stringValue(let code)? = error.fields[code]?.kind else {
      preconditionFailure("an error without a code")
    }
    var text = ""
    if case .stringValue(let message)? = error.fields["message"]?.kind { text = message }
    self.error = (code, text)
  }
}
