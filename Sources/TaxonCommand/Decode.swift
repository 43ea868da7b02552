// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Foundation
import TaxonProtobuf
import TaxonSchema

/// `taxon decode`: messages of any schema, from one format to another.
struct Decode: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reads messages in one format and writes them in another.",
    discussion: """
      Without --type it reads a google.rpc.Status in base64, as the trailer grpc-status-details-bin has it:

        taxon decode -I Protos Protos/octollm/v1/errors.proto <<<CAUSE...

      Exits with 1 when the input is not what it is said to be.
      """)

  /// What a message can be read from.
  enum Input: String, CaseIterable, ExpressibleByArgument {
    case binary
    /// Any number of messages, each behind five bytes, as in the body of a call.
    case grpc
    /// The binary format in base64 or base64url, with or without padding.
    case base64
    case json, text
  }

  /// What a message can be written as.
  enum Output: String, CaseIterable, ExpressibleByArgument {
    case text, json, binary, base64
  }

  @Option(
    name: .long, help: "The full name of the message, such as octollm.v1.TaskRecord. (default: google.rpc.Status)")
  var type: String?

  @Option(help: "The format of the input: binary, grpc, base64, json or text. (default: binary; without --type base64)")
  var from: Input?

  @Option(help: "The format of the output: text, json, binary or base64.")
  var to = Output.text

  @Option(help: "A file with the message; standard input by default.")
  var input: String?

  @Option(help: "A FileDescriptorSet in place of schemas, as protoc --include_imports --descriptor_set_out writes it.")
  var descriptorSet: String?

  @Flag(help: "Skip what the message does not have in JSON and in the text format.")
  var ignoreUnknown = false

  @Option(name: [.customShort("I"), .long], help: "A folder in which imports are looked for. May be repeated.")
  var protoPath: [String] = []

  @Argument(help: "The schemas.", completion: .file(extensions: ["proto"]))
  var files: [String] = []

  func run() throws {
    let registry = try types()
    let name = type ?? "google.rpc.Status"
    guard let descriptor = registry.descriptor(named: name) else {
      throw ValidationError("the schemas have no message \(name)")
    }
    let content =
      try input.map { Array(try Data(contentsOf: URL(filePath: $0))) }
      ?? Array(FileHandle.standardInput.readToEnd() ?? Data())
    do {
      for message in try messages(descriptor, content, registry) { try write(message, registry) }
    } catch {
      FileHandle.standardError.write(Data("error: \(error)\n".utf8))
      throw ExitCode.failure
    }
  }

  // MARK: Types

  /// The types of the schemas, and those that errors of gRPC and of Taxon are made of.
  private func types() throws -> TypeRegistry {
    var registry = try Schema.read(
      descriptorSet: protoc(
        SchemaArguments.taxonProtos,
        [
          "google/rpc/status.proto", "google/rpc/error_details.proto", "taxon/error_traits.proto",
        ])
    ).types()
    if let descriptorSet {
      let content = Array(try Data(contentsOf: URL(filePath: descriptorSet)))
      registry.formUnion(try Schema.read(descriptorSet: content).types())
    }
    if !files.isEmpty { registry.formUnion(try Schema.read(descriptorSet: protoc(nil, files)).types()) }
    return registry
  }

  private func protoc(_ folder: String?, _ files: [String]) throws -> [UInt8] {
    let search = ProtocSearch(environment: ProcessInfo.processInfo.environment) {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    let folders = folder.map { [$0] } ?? (protoPath.isEmpty ? ["."] : protoPath) + [SchemaArguments.taxonProtos]
    let protoc: Protoc
    do {
      protoc = Protoc(executable: try search.find(), folders: folders, folderSetting: "--proto-path")
    } catch {
      throw ValidationError("\(error)")
    }
    let reading = try protoc.read(files)
    guard let set = reading.descriptorSet else {
      FileHandle.standardError.write(Data(reading.lines().map { "\($0)\n" }.joined().utf8))
      throw ExitCode.failure
    }
    return set
  }

  // MARK: Messages

  private func messages(
    _ descriptor: MessageDescriptor, _ content: [UInt8], _ registry: TypeRegistry
  ) throws -> [DynamicMessage] {
    switch from ?? (type == nil ? .base64 : .binary) {
    case .binary: return [try DynamicMessage(descriptor, decoding: content)]
    case .grpc: return try EnvelopedBody.messages(content).map { try DynamicMessage(descriptor, decoding: $0) }
    case .base64: return [try DynamicMessage(descriptor, decoding: EnvelopedBody.base64(content))]
    case .json:
      let options = JSONDecodingOptions(ignoresUnknownFields: ignoreUnknown, registry: registry)
      return [try DynamicMessage(descriptor, json: content, options: options)]
    case .text:
      let options = TextFormatDecodingOptions(ignoresUnknownFields: ignoreUnknown, registry: registry)
      return [try DynamicMessage(descriptor, textFormat: content, options: options)]
    }
  }

  private func write(_ message: DynamicMessage, _ registry: TypeRegistry) throws {
    let bytes: [UInt8] =
      switch to {
      case .text:
        Array(
          message.textFormatString(options: TextFormatEncodingOptions(printsUnknownFields: true, registry: registry))
            .utf8)
      case .json: Array((try message.jsonString(options: JSONEncodingOptions(registry: registry)) + "\n").utf8)
      case .binary: message.bytes
      case .base64: Array((Data(message.bytes).base64EncodedString() + "\n").utf8)
      }
    FileHandle.standardOutput.write(Data(bytes))
  }
}

/// What messages come in.
private enum EnvelopedBody {
  /// What is wrong with an input before it is a message.
  struct Malformed: Error, CustomStringConvertible {
    let description: String
  }

  /// The messages of a body of gRPC: each behind a flag and a length of four bytes.
  static func messages(_ body: [UInt8]) throws -> [[UInt8]] {
    var messages: [[UInt8]] = []
    var rest = body[...]
    while !rest.isEmpty {
      guard rest.count >= 5 else { throw Malformed(description: "the body ends inside the head of a message") }
      let head = Array(rest.prefix(5))
      let length = head[1...].reduce(0) { $0 << 8 | Int($1) }
      guard head[0] == 0 else {
        throw Malformed(description: "message \(messages.count) is compressed, or no message: its flag is \(head[0])")
      }
      guard rest.count - 5 >= length else {
        throw Malformed(description: "the body ends inside message \(messages.count), of \(length) bytes")
      }
      messages.append(Array(rest.dropFirst(5).prefix(length)))
      rest = rest.dropFirst(5 + length)
    }
    return messages
  }

  /// The bytes of a text in base64 or base64url, with or without padding, with white space anywhere.
  static func base64(_ text: [UInt8]) throws -> [UInt8] {
    var digits = text.filter { $0 > UInt8(ascii: " ") && $0 != UInt8(ascii: "=") }
    for index in digits.indices {
      if digits[index] == UInt8(ascii: "-") { digits[index] = UInt8(ascii: "+") }
      if digits[index] == UInt8(ascii: "_") { digits[index] = UInt8(ascii: "/") }
    }
    digits += Array(repeating: UInt8(ascii: "="), count: (4 - digits.count % 4) % 4)
    guard let data = Data(base64Encoded: Data(digits)) else { throw Malformed(description: "the text is not base64") }
    return Array(data)
  }
}
