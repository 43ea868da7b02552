// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// A request that is put together from body, path and query, in the binary format: fields that are put behind each other there
/// make one message.
struct RESTRequest {
  private let rule: RESTRule
  /// The request so far.
  private(set) var bytes: [UInt8] = []
  /// Names of fields that have their value, which another one would replace.
  private var taken: Set<String> = []
  /// The member that each oneof has, by the names of its message's path and its own.
  private var members: [String: String] = [:]

  init(_ rule: RESTRule) { self.rule = rule }

  /// The body, which is JSON. One that the method does not take is a violation.
  mutating func add(
    body json: UnsafeBufferPointer<UInt8>, _ options: JSONDecodingOptions, _ violations: inout Violations
  ) throws(JSONDecodingError) {
    guard !json.isEmpty else { return }
    switch rule.body {
    case .nothing:
      violations.add(
        field: "", "the method takes no body; fields that the path does not have are parameters of the query")
    case .request:
      bytes = try rule.request.encoded(json: json, field: nil, options: options)
    case .field(let field):
      if let oneof = field.type.oneof { members[".\(oneof)"] = field.name }
      bytes = try rule.request.encoded(json: json, field: field, options: options)
    }
  }

  /// A part of the path.
  mutating func add(_ text: String, to field: FieldPath, _ violations: inout Violations) {
    // Without a query nothing can come twice but members of a oneof.
    set(text, field, name: field.name, &violations)
  }

  /// A parameter of the query.
  mutating func add(_ parameter: RESTCall.Parameter, _ violations: inout Violations) {
    let field: FieldPath
    do throws(FieldPath.Fault) {
      field = try FieldPath(parameter.name, of: rule.request)
    } catch {
      return violations.add(RESTFaults.violation(error, parameter.name))
    }
    switch rule.body {
    case .request:
      return violations.add(RESTFaults.bound(parameter.name, "the path or the body"))
    case .field(let body) where body.number == field.fields[0].number:
      return violations.add(RESTFaults.bound(parameter.name, "the body"))
    case .field, .nothing: break
    }
    guard !rule.variables.contains(where: { $0.name == field.name }) else {
      return violations.add(RESTFaults.bound(parameter.name, "the path"))
    }
    guard field.leaf.takesPlainText else {
      let what = field.leaf.type.label == .map ? "a map" : "a message, whose fields can be parameters"
      return violations.add(
        .init(field: parameter.name, description: "the field is \(what), and no parameter", reason: "WRONG_TYPE"))
    }
    set(parameter.value, field, name: parameter.name, &violations)
  }

  private mutating func set(_ text: String, _ field: FieldPath, name: String, _ violations: inout Violations) {
    guard field.leaf.isRepeated || taken.insert(field.name).inserted else {
      return violations.add(
        .init(field: name, description: "the field takes one value and is given several", reason: "DUPLICATE"))
    }
    if let other = otherMember(of: field) {
      let what = "another field that excludes this one is set: \(other)"
      return violations.add(.init(field: name, description: what, reason: "MUTUALLY_EXCLUSIVE"))
    }
    do throws(JSONDecodingError) {
      bytes += field.wrapped(try field.leaf.encoded(plainText: text, in: field.message))
    } catch {
      violations.add(
        .init(field: name, description: error.reason.expectation, reason: error.reason.violation))
    }
  }

  /// The member that a oneof on the way to a field has already, where it is another one.
  private mutating func otherMember(of field: FieldPath) -> String? {
    guard field.fields.contains(where: { $0.type.oneof != nil }) else { return nil }
    var path = ""
    for step in field.fields {
      if let oneof = step.type.oneof {
        let member = members["\(path).\(oneof)"]
        if let member, member != step.name { return member }
        members["\(path).\(oneof)"] = step.name
      }
      path += ".\(step.name)"
    }
    return nil
  }
}
