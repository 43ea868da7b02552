// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A rule of a method with everything in it looked up; made when a server starts.
final class RESTRule: Sendable {
  /// What the body of the request is.
  enum Body: Sendable {
    case nothing
    case request
    case field(Field)
  }

  let rule: HTTPRule
  let template: PathTemplate
  /// The gRPC path of the method.
  let path: String
  let request: MessageDescriptor
  /// The field of each of the template's variables.
  let variables: [FieldPath]
  let body: Body
  /// The field of the response that is answered; nil for all of it.
  let responseField: Field?

  /// - Throws: When the rule makes no sense for these messages.
  init(
    _ rule: HTTPRule, path: String, request: MessageDescriptor, response: MessageDescriptor
  ) throws(RESTRouteError) {
    func fault(_ reason: String) -> RESTRouteError { RESTRouteError(rule: rule, path: path, reason: reason) }
    self.rule = rule
    self.path = path
    self.request = request
    guard rule.verb == "*" || !rule.verb.isEmpty && rule.verb.utf8.allSatisfy(Self.isToken) else {
      throw fault("\"\(rule.verb)\" is no HTTP method")
    }
    do throws(PathTemplateMistake) {
      template = try PathTemplate(rule.template)
    } catch {
      throw fault("at byte \(error.offset): \(error)")
    }
    var variables: [FieldPath] = []
    for variable in template.variables {
      let field: FieldPath
      do throws(FieldPath.Fault) {
        field = try FieldPath(variable.name, of: request)
      } catch {
        throw fault("variable {\(variable.name)}: \(error)")
      }
      guard !field.leaf.isRepeated, field.leaf.type.messageType == nil else {
        throw fault("variable {\(variable.name)} is no single scalar")
      }
      guard !variables.contains(where: { $0.name == field.name }) else {
        throw fault("variable {\(variable.name)} is there twice")
      }
      variables.append(field)
    }
    self.variables = variables
    switch rule.body {
    case "": body = .nothing
    case "*": body = .request
    case let name:
      guard let field = Self.field(name, of: request) else {
        throw fault("\(request.name) has no field \"\(name)\" for the body")
      }
      guard !variables.contains(where: { $0.name == name }) else {
        throw fault("field \"\(name)\" is both in the path and the body")
      }
      body = .field(field)
    }
    responseField = Self.field(rule.responseBody, of: response)
    guard rule.responseBody.isEmpty || responseField != nil else {
      throw fault("\(response.name) has no field \"\(rule.responseBody)\" for the body of the answer")
    }
  }

  private static func field(_ name: String, of message: MessageDescriptor) -> Field? {
    message.fields.first { $0.name == name }
  }

  /// RFC 9110 §5.6.2.
  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}

/// A field of a message, or of a message inside it, and so on.
struct FieldPath: Sendable {
  /// Why a text leads to no field.
  enum Fault: Error, Hashable, CustomStringConvertible {
    case unknown(String, of: String)
    case notMessage(String)
    case tooDeep

    var description: String {
      switch self {
      case .unknown(let name, let message): "there is no field \"\(name)\" in \(message)"
      case .notMessage(let name): "\"\(name)\" is no single message, and has no fields"
      case .tooDeep: "fields are nested deeper than \(FieldPath.maxDepth)"
      }
    }
  }

  /// The fields from the outside inwards; each but the last is a single message.
  let fields: [Field]
  /// The message that has the last field.
  let message: MessageDescriptor
  /// The names in the schema with dots between.
  let name: String

  /// The most names in a path.
  static let maxDepth = 64

  /// The field at the end of names with dots between, each that of the schema or that of JSON.
  init(_ text: some StringProtocol, of message: MessageDescriptor) throws(Fault) {
    var message = message
    var fields: [Field] = []
    for part in text.split(separator: ".", omittingEmptySubsequences: false) {
      guard fields.count < Self.maxDepth else { throw .tooDeep }
      if let outer = fields.last {
        guard !outer.isRepeated, let type = outer.type.messageType else { throw .notMessage(outer.name) }
        message = type.descriptor
      }
      guard let field = message.field(named: String(part)) else { throw .unknown(String(part), of: message.name) }
      fields.append(field)
    }
    self.fields = fields
    self.message = message
    name = fields.count == 1 ? fields[0].name : fields.map(\.name).joined(separator: ".")
  }

  /// The field itself. There is always one: a text splits into one part at least.
  var leaf: Field { fields[fields.count - 1] }

  /// The outermost message's field in the binary format, around the encoded last one.
  func wrapped(_ encoded: [UInt8]) -> [UInt8] {
    fields.dropLast().reversed().reduce(encoded) { $1.encoded(payload: $0) }
  }
}

extension Field {
  /// A list or a map.
  var isRepeated: Bool {
    switch type.label {
    case .repeated, .packed, .map: true
    case .implicit, .optional, .required, .oneof: false
    }
  }
}
