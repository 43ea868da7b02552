// SPDX-License-Identifier: Apache-2.0

final class SchemaService {
  let name: String
  let fullName: String
  unowned let file: SchemaFile
  let path: DescriptorPath
  let isDeprecated: Bool
  var raises: [RaisedName] = []
  var methods: [SchemaMethod] = []

  init(name: String, fullName: String, file: SchemaFile, path: DescriptorPath, isDeprecated: Bool) {
    self.name = name
    self.fullName = fullName
    self.file = file
    self.path = path
    self.isDeprecated = isDeprecated
  }

  var place: Place { file.sources.place(path + [Tag.name]) }
  var comment: String? { file.sources.comment(path) }
}

final class SchemaMethod {
  enum Idempotency {
    case unknown, noSideEffects, idempotent
  }

  /// Which sides send a stream of messages.
  enum Kind {
    case unary, clientStreaming, serverStreaming, bidirectional

    var streamsRequests: Bool { self == .clientStreaming || self == .bidirectional }
    var streamsResponses: Bool { self == .serverStreaming || self == .bidirectional }
  }

  let name: String
  unowned let service: SchemaService
  let input: SchemaMessage
  let output: SchemaMessage
  let kind: Kind
  let idempotency: Idempotency
  let path: DescriptorPath
  let isDeprecated: Bool
  var raises: [RaisedName] = []
  /// What the method raises: its own errors, then those of its service, then those of the file; categories are opened.
  var errors: [SchemaMessage] = []

  init(
    name: String, service: SchemaService, input: SchemaMessage, output: SchemaMessage, kind: Kind,
    idempotency: Idempotency, path: DescriptorPath, isDeprecated: Bool
  ) {
    self.name = name
    self.service = service
    self.input = input
    self.output = output
    self.kind = kind
    self.idempotency = idempotency
    self.path = path
    self.isDeprecated = isDeprecated
  }

  var place: Place { service.file.sources.place(path + [Tag.name]) }
  var comment: String? { service.file.sources.comment(path) }
}
