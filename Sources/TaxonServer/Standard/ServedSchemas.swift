// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// The schemas of a server's services and of what its errors carry, by all names by which one may ask for them.
final class ServedSchemas: Sendable {
  /// The full names, in alphabetical order.
  let services: [String]
  private let files: [ProtoFileDescriptor]
  private let made = Locked<Index?>(nil)

  init(_ services: [any RPCService.Type]) {
    self.services = Set(services.map { $0.serviceName }).sorted()
    var seen: Set<String> = []
    // The services' own copy of a file counts, should they carry one, and so do its symbols under another path.
    files = (services.compactMap { $0.fileDescriptor } + Self.filesOfErrors).flatMap(\.closure)
      .filter { seen.insert($0.name).inserted }
  }

  /// What `grpc-status-details-bin` may have in it whatever a service declares. Clients look the types up by reflection to
  /// show the details of an error; no schema need import them.
  private static let filesOfErrors: [ProtoFileDescriptor] = [
    .googleRpcStatus, .googleRpcErrorDetails, .taxonErrorTraits, .taxonErrors,
  ]

  /// Made when somebody asks for the first time.
  var index: Index {
    made.withLock { made in
      let index = made ?? Index(files)
      made = index
      return index
    }
  }

  /// Which file has what.
  struct Index: Sendable {
    private(set) var files: [String: ProtoFileDescriptor] = [:]
    /// By full names: messages, fields, oneofs, enums and their values, extensions, services and methods.
    private(set) var symbols: [String: ProtoFileDescriptor] = [:]
    /// By the full name of the message that is extended, and by number.
    private(set) var extensions: [String: [Int32: ProtoFileDescriptor]] = [:]
    private(set) var messages: Set<String> = []

    fileprivate init(_ files: [ProtoFileDescriptor]) {
      for file in files {
        self.files[file.name] = file
        // The generator has written it; were it broken, the file would still be there by its name.
        guard let content = try? file.decoded() else { continue }
        let scope = content.package.map { $0.isEmpty ? "" : "\($0)." } ?? ""
        for message in content.messageType { add(message, scope, file) }
        for type in content.enumType { add(type, scope, file) }
        for field in content.extension { addExtension(field, scope, file) }
        for service in content.service {
          add(service.name, scope, file)
          for method in service.method { add(method.name, "\(scope)\(service.name ?? "").", file) }
        }
      }
    }

    /// The first file that has a symbol keeps it: a client that has seen this one must not be given another.
    private mutating func add(_ name: String?, _ scope: String, _ file: ProtoFileDescriptor) {
      let symbol = scope + (name ?? "")
      if symbols[symbol] == nil { symbols[symbol] = file }
    }

    private mutating func add(_ message: Google_Protobuf_DescriptorProto, _ scope: String, _ file: ProtoFileDescriptor)
    {
      add(message.name, scope, file)
      messages.insert(scope + (message.name ?? ""))
      let inner = "\(scope)\(message.name ?? "")."
      for field in message.field { add(field.name, inner, file) }
      for oneof in message.oneofDecl { add(oneof.name, inner, file) }
      for nested in message.nestedType { add(nested, inner, file) }
      for type in message.enumType { add(type, inner, file) }
      for field in message.extension { addExtension(field, inner, file) }
    }

    /// Values are beside their enum, not in it (descriptor.proto).
    private mutating func add(_ type: Google_Protobuf_EnumDescriptorProto, _ scope: String, _ file: ProtoFileDescriptor)
    {
      add(type.name, scope, file)
      for value in type.value { add(value.name, scope, file) }
    }

    private mutating func addExtension(
      _ field: Google_Protobuf_FieldDescriptorProto, _ scope: String, _ file: ProtoFileDescriptor
    ) {
      add(field.name, scope, file)
      // protoc writes the full name with a dot before it.
      guard let extendee = field.extendee, let number = field.number else { return }
      let message = extendee.hasPrefix(".") ? String(extendee.dropFirst()) : extendee
      if extensions[message]?[number] == nil { extensions[message, default: [:]][number] = file }
    }
  }
}
