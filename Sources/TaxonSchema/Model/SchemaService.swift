// SPDX-License-Identifier: Apache-2.0

package final class SchemaService {
  package let name: String
  package let fullName: String
  package unowned let file: SchemaFile
  package let path: DescriptorPath
  package let isDeprecated: Bool
  var raises: [RaisedName] = []
  package internal(set) var methods: [SchemaMethod] = []

  init(name: String, fullName: String, file: SchemaFile, path: DescriptorPath, isDeprecated: Bool) {
    self.name = name
    self.fullName = fullName
    self.file = file
    self.path = path
    self.isDeprecated = isDeprecated
  }

  package var place: Place { file.sources.place(path + [Tag.name]) }
  package var comment: String? { file.sources.comment(path) }
}

package final class SchemaMethod {
  package enum Idempotency {
    case unknown, noSideEffects, idempotent
  }

  /// Which sides send a stream of messages.
  package enum Kind {
    case unary, clientStreaming, serverStreaming, bidirectional

    package var streamsRequests: Bool { self == .clientStreaming || self == .bidirectional }
    package var streamsResponses: Bool { self == .serverStreaming || self == .bidirectional }
  }

  package let name: String
  package unowned let service: SchemaService
  package let input: SchemaMessage
  package let output: SchemaMessage
  package let kind: Kind
  package let idempotency: Idempotency
  package let path: DescriptorPath
  package let isDeprecated: Bool
  var raises: [RaisedName] = []
  /// What the method raises: its own errors, then those of its service, then those of the file; categories are opened.
  package internal(set) var errors: [SchemaMessage] = []

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

  package var place: Place { service.file.sources.place(path + [Tag.name]) }
  package var comment: String? { service.file.sources.comment(path) }
}
