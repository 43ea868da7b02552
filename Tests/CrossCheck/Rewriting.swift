// SPDX-License-Identifier: Apache-2.0

import Taxon

/// A request to read a message in one format and to write it in another.
///
/// It begins with a line of three words: the format to read (`binary`, `json`, `text`, or `json-ignoring` and `text-ignoring`,
/// which ignore unknown fields), the format to write, and the full name of the type. The message follows. The answer begins with a line too:
/// `written` before the message in the other format, `refused` before the reason why it cannot be read, `unwritable`
/// before the reason why it cannot be written.
struct Rewriting {
  /// What an Any may hold, and the extensions.
  private static let registry = TypeRegistry.everything.union(.json).union(.kinds).union(.legacy)
    .union(.edition2023).union(.edition2024).union(.leaves)

  private let input: Substring
  private let output: Substring
  private let type: any Message.Type
  private let payload: ArraySlice<UInt8>

  /// Traps when the request has another form: the tests and this program belong together.
  init(request: [UInt8]) {
    let end = request.firstIndex(of: UInt8(ascii: "\n")) ?? request.endIndex
    let words = String(decoding: request[..<end], as: UTF8.self).split(separator: " ")
    precondition(words.count == 3, "a request begins with three words")
    guard let type = Self.registry.type(named: String(words[2])) else { preconditionFailure("no type \(words[2])") }
    input = words[0]
    output = words[1]
    self.type = type
    payload = request[(end + 1)...]
  }

  /// The answer.
  var answer: [UInt8] {
    let message: any Message
    do {
      message = try read()
    } catch {
      return Array("refused\n\(error)".utf8)
    }
    do {
      return Array("written\n".utf8) + (try write(message))
    } catch {
      return Array("unwritable\n\(error)".utf8)
    }
  }

  private func read() throws -> any Message {
    switch input {
    case "binary": return try type.init(decoding: payload)
    case "json", "json-ignoring":
      let options = JSONDecodingOptions(ignoresUnknownFields: input == "json-ignoring", registry: Self.registry)
      return try type.init(json: payload, options: options)
    case "text", "text-ignoring":
      let options = TextFormatDecodingOptions(ignoresUnknownFields: input == "text-ignoring", registry: Self.registry)
      return try type.init(textFormat: payload, options: options)
    default: preconditionFailure("no format \(input)")
    }
  }

  private func write(_ message: any Message) throws -> [UInt8] {
    switch output {
    case "binary": try message.encoded()
    case "json": try message.jsonBytes(options: JSONEncodingOptions(registry: Self.registry))
    case "text": Array(message.textFormatString(options: TextFormatEncodingOptions(registry: Self.registry)).utf8)
    default: preconditionFailure("no format \(output)")
    }
  }
}
