// SPDX-License-Identifier: Apache-2.0

/// The descriptor of a proto file as generated code embeds it, for server reflection: a
/// `google.protobuf.FileDescriptorProto` without comments and positions.
///
/// Each generated file adds its own as a static property: `ProtoFileDescriptor.octollmV1Orchestrator` is that of
/// octollm/v1/orchestrator.proto.
public struct ProtoFileDescriptor: Sendable {
  /// The name by which other files import it, such as "octollm/v1/orchestrator.proto".
  public let name: String
  private let base64: StaticString
  // Functions, because files with services may point at each other through the errors that they raise.
  private let makeDependencies: @Sendable () -> [ProtoFileDescriptor]
  private let makeErrorFiles: @Sendable () -> [ProtoFileDescriptor]

  /// A descriptor as generated code makes it. `base64` may have white space in it.
  public init(
    _ name: String, dependencies: @autoclosure @escaping @Sendable () -> [ProtoFileDescriptor] = [],
    errors: @autoclosure @escaping @Sendable () -> [ProtoFileDescriptor] = [], base64: StaticString
  ) {
    self.name = name
    makeDependencies = dependencies
    makeErrorFiles = errors
    self.base64 = base64
  }

  /// The files that it imports, in the order of its `dependency` field.
  public var dependencies: [ProtoFileDescriptor] { makeDependencies() }

  /// The files that have the errors its methods raise and that it does not import itself.
  public var errorFiles: [ProtoFileDescriptor] { makeErrorFiles() }

  /// The encoded FileDescriptorProto. Decoded from the embedded text each time.
  public var serialized: [UInt8] {
    base64.withUTF8Buffer { text in
      text.filter { $0 > UInt8(ascii: " ") }.withUnsafeBufferPointer { Base64.decode($0) ?? [] }
    }
  }

  /// The descriptor itself. Throws when the embedded text is not what the generator wrote.
  public func decoded() throws(MessageDecodingError) -> Google_Protobuf_FileDescriptorProto {
    try Google_Protobuf_FileDescriptorProto(decoding: serialized)
  }

  /// The file and all that it depends on, and the files with the errors they raise, each once; a file comes behind
  /// those it imports.
  public var closure: [ProtoFileDescriptor] {
    var seen: Set<String> = []
    var files: [ProtoFileDescriptor] = []
    func add(_ file: ProtoFileDescriptor) {
      guard seen.insert(file.name).inserted else { return }
      file.dependencies.forEach(add)
      files.append(file)
    }
    add(self)
    var index = 0
    while index < files.count {
      files[index].errorFiles.forEach(add)
      index += 1
    }
    return files
  }
}
