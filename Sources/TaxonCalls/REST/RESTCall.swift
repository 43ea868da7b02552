// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// A call by REST: the method, and what path and query say of its request.
package struct RESTCall: Sendable {
  let rule: RESTRule
  /// The texts of the template's variables.
  let values: [String]
  let parameters: [Parameter]

  /// A parameter of the query, percent-decoded.
  struct Parameter: Sendable, Hashable {
    var name: String
    var value: String
  }

  /// The gRPC path of the method, such as "/pkg.Service/Method".
  package var path: String { rule.path }
  /// The rule that the request fits.
  package var httpRule: HTTPRule { rule.rule }
  /// Whether the method's request has a body.
  package var takesBody: Bool { if case .nothing = rule.body { false } else { true } }

  /// The parameters of a query (application/x-www-form-urlencoded, with `+` for a space); nil when one is not
  /// percent-encoded UTF-8.
  static func parameters(_ query: UnsafeBufferPointer<UInt8>) -> [Parameter]? {
    var result: [Parameter] = []
    for pair in query.split(separator: UInt8(ascii: "&")) {
      let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
      let value = pair[min(equals + 1, pair.endIndex)...]
      guard
        let name = PercentCoding.decode(UnsafeBufferPointer(rebasing: pair[..<equals]), plusIsSpace: true),
        let value = PercentCoding.decode(UnsafeBufferPointer(rebasing: value), plusIsSpace: true)
      else { return nil }
      result.append(Parameter(name: name, value: value))
    }
    return result
  }

  /// The request: the body, and over it what path and query say. All that is wrong is told at once.
  ///
  /// - Parameters:
  ///   - type: The type of the method's requests.
  ///   - body: The body of the HTTP request, which is JSON. An empty one stands for no fields.
  /// - Throws: `CallError.MalformedJSON` for a body that is no JSON, `CallError.InvalidRequest` with every violation when body,
  ///   path or query do not fit the request.
  package func request<M: Message>(
    _ type: M.Type, body: UnsafeRawBufferPointer, options: JSONDecodingOptions = JSONDecodingOptions()
  ) throws(RPCError) -> M {
    assert(M.descriptor === rule.request, "\(M.self) is not the request of \(path)")
    let json = UnsafeBufferPointer(
      start: body.baseAddress?.assumingMemoryBound(to: UInt8.self), count: body.count)
    var violations = Violations()
    var request = RESTRequest(rule)
    do throws(JSONDecodingError) {
      if case .request = rule.body, values.isEmpty, parameters.isEmpty, !json.isEmpty {
        return try M(json: json, options: options)
      }
      try request.add(body: json, options, &violations)
    } catch {
      let failure = RESTFaults.body(error, json, M.self, rule, options)
      guard !failure.violations.isEmpty, failure.violations.count <= Violations.maxFound else { throw failure }
      for violation in failure.violations { violations.add(violation) }
    }
    for (field, value) in zip(rule.variables, values) { request.add(value, to: field, &violations) }
    for parameter in parameters { request.add(parameter, &violations) }
    if !violations.isEmpty { throw RESTFaults.invalidRequest(violations.summary) }
    do throws(MessageDecodingError) {
      return try M(decoding: request.bytes)
    } catch {
      throw RESTFaults.invalidRequest([RESTFaults.violation(error)])
    }
  }

  /// The body of the answer: the response as JSON, or its field that the rule names.
  ///
  /// - Throws: `CallError.MalformedMessage` for what JSON cannot express.
  package func response<M: Message>(
    _ message: M, options: JSONEncodingOptions = JSONEncodingOptions()
  ) throws(RPCError) -> [UInt8] {
    do throws(JSONEncodingError) {
      guard let field = rule.responseField else { return try message.jsonBytes(options: options) }
      return try message.jsonBytes(of: field, options: options)
    } catch {
      throw RPCError(CallError.MalformedMessage(type: M.descriptor.name, reason: "\(error)"))
    }
  }
}

/// Reads and writes the messages of one call by REST.
final class RESTCoder: MessageCoder {
  private let call: RESTCall
  private let json: JSONCoder

  init(_ call: RESTCall, _ json: JSONCoder) {
    self.call = call
    self.json = json
  }

  func decode<Content: Message>(
    _ type: Content.Type, _ bytes: UnsafeRawBufferPointer
  ) throws(RPCError) -> Content {
    guard bytes.isEmpty || call.takesBody else {
      throw RPCError(.invalidArgument, "\(call.httpRule) takes no body, and one of \(bytes.count) bytes came")
    }
    return try call.request(type, body: bytes, options: json.decoding)
  }

  func encode<Content: Message>(
    _ message: Content, _ body: (UnsafeRawBufferPointer) -> Void
  ) throws(RPCError) {
    try call.response(message, options: json.encoding).withUnsafeBytes(body)
  }
}
