// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf
import TaxonTransport

/// Finds how a request that is not plain gRPC is meant, by its verb, path and content type, and takes what its protocol has in
/// the head. Happens once a request; plain gRPC does not come here.
struct ProtocolChoice {
  /// What becomes of the request.
  enum Outcome {
    /// It is a call; the head has its protocol.
    case call
    /// It is answered with an error, with these fields.
    case refuse(any TaxonomyError, Metadata)
    /// It is answered with this head alone.
    case answer(HeaderBlock)

    static func refuse(_ error: some TaxonomyError) -> Outcome { .refuse(error, Metadata()) }
  }

  let context: ServerStreamContext
  private var protocols: CallProtocols { context.protocols }
  private var router: any ServerRouter { context.router }

  /// Chooses, and tells the head.
  ///
  /// - Parameter hasBody: False when the request ends with its head.
  func choose(_ head: inout RequestHead, hasBody: Bool) -> Outcome {
    let request = OtherRequest(HTTPRequestLine(method: head.verb, target: head.path))
    head.other = request
    request.isBodiless = head.verb == "HEAD"
    request.isConditional = request.isBodiless || head.verb == "GET"
    let origin = protocols.cors == nil ? nil : head.metadata.first("origin")
    if let cors = protocols.cors { request.answerFields = cors.fields(origin: origin) }
    if head.wire != nil, !head.isPost {
      head.wire = PlainText.self
      return refuse(head.verb, at: head.path, allowed: ["POST"])
    }
    let target = RequestTarget(head.path)
    if head.verb == "OPTIONS" { return options(head, target, origin) }
    let method = context.method(target.path)
    if head.isPost, let form = Form(head.contentType)?.settled(head, protocols), form.isServed(by: protocols.served) {
      // A path of REST's has JSON, too, whatever headers of Connect come with it: no method of Connect's is there.
      if method != nil || form.kind != .json && !isREST(head, form) { return post(&head, form, method, target) }
    }
    if let method {
      let verbs = verbs(of: method)
      if request.isConditional, verbs.count > 1, let outcome = get(&head, target, request) { return outcome }
      if !head.isPost { return refuse(head.verb, at: target.path, allowed: verbs) }
      return unsupportedType(head.contentType, method)
    }
    return rest(&head, target, hasBody: hasBody)
  }

  /// Whether JSON goes to a path that REST has.
  private func isREST(_ head: RequestHead, _ form: Form) -> Bool {
    guard form.isUnaryJSON, protocols.served.contains(.rest) else { return false }
    if case .none = router.routes.match(verb: head.verb, target: head.path) { return false }
    return true
  }

  // MARK: POST

  private func post(
    _ head: inout RequestHead, _ form: Form, _ method: (any ServerMethod)?, _ target: RequestTarget
  ) -> Outcome {
    if let method, !form.suits(method.shape) {
      if form.kind != .json { head.wire = PlainText.self }
      return unsupportedType(head.contentType, method)
    }
    head.path = target.path
    head.wire = form.wire
    if form.isJSON { head.codec = .other(form.kind == .json ? protocols.json : protocols.lenientJSON) }
    switch form.kind {
    case .grpc, .grpcWeb, .grpcWebText: return .call
    case .connectStreaming:
      if let outcome = connect(&head) { return outcome }
      head.encoding = head.metadata.first("connect-content-encoding") ?? ""
      head.accept(head.metadata.list("connect-accept-encoding"))
    case .connect:
      if let outcome = connect(&head) { return outcome }
      takeContentCoding(&head)
    case .json:
      if let outcome = takeAnyTimeout(&head) { return outcome }
      takeContentCoding(&head)
    }
    head.metadata.removeProtocolFields()
    return .call
  }

  /// Checks what Connect has in its own headers; nil when all is well.
  private func connect(_ head: inout RequestHead) -> Outcome? {
    let version = head.metadata.first("connect-protocol-version")
    if let version, version != "1" {
      return invalid("connect-protocol-version \"\(version)\" is not supported; it is 1")
    }
    if version == nil, protocols.connect.requiresProtocolVersion {
      return invalid("the header connect-protocol-version is missing; it is 1")
    }
    return takeConnectTimeout(&head)
  }

  /// Takes how long a caller of Connect waits: `grpc-timeout` says nothing there.
  private func takeConnectTimeout(_ head: inout RequestHead) -> Outcome? {
    head.timeout = nil
    head.invalidTimeout = nil
    return takeTimeout(&head)
  }

  /// Takes how long a caller without a protocol waits: by gRPC's header, as gRPC's gateways take it, or by Connect's. Of both the
  /// shorter time counts.
  private func takeAnyTimeout(_ head: inout RequestHead) -> Outcome? {
    if let text = head.invalidTimeout { return invalid(ServerCallState.Fault.invalidTimeout(text).reason) }
    let timeout = head.timeout
    if let outcome = takeTimeout(&head) { return outcome }
    if let timeout, let other = head.timeout { head.timeout = min(timeout, other) }
    return nil
  }

  private func takeTimeout(_ head: inout RequestHead) -> Outcome? {
    guard let text = head.metadata.first("connect-timeout-ms") else { return nil }
    guard (1...10).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let milliseconds = Int64(text)
    else { return invalid("connect-timeout-ms \"\(text)\" is not 1 to 10 digits") }
    head.timeout = .milliseconds(milliseconds)
    return nil
  }

  private func invalid(_ message: String) -> Outcome { .refuse(RPCError(.invalidArgument, message)) }

  private func takeContentCoding(_ head: inout RequestHead) {
    head.encoding = head.metadata.list("content-encoding")?.lowercased() ?? ""
    head.accept(head.metadata.list("accept-encoding"))
  }

  // MARK: GET

  /// A unary call whose message is in the query; nil when it is something else.
  private func get(_ head: inout RequestHead, _ target: RequestTarget, _ request: OtherRequest) -> Outcome? {
    let items = target.items
    func value(_ name: String) -> String? { items.first { $0.name == name }?.value }
    let version = value("connect")
    let encoding = value("encoding")
    guard encoding != nil || version != nil else { return nil }
    head.path = target.path
    head.wire = ConnectUnary.self
    guard let encoding, let message = target.bytes("message") else {
      return invalid("the query's parameter \(encoding == nil ? "encoding" : "message") is missing")
    }
    if encoding == "json" { head.codec = .other(protocols.lenientJSON) }
    if let version, version != "v1" { return invalid("connect=\(version) is not supported; it is v1") }
    if version == nil, protocols.connect.requiresProtocolVersion {
      return invalid("the query's parameter connect is missing; it is v1")
    }
    guard encoding == "json" || encoding == "proto" else {
      head.wire = PlainText.self
      return .refuse(CallError.UnsupportedMediaType(contentType: encoding, supported: ["proto", "json"]))
    }
    let bytes: [UInt8]?
    switch value("base64") {
    case "1"?: bytes = message.withUnsafeBufferPointer { Base64.decode($0) }
    case nil, "0"?: bytes = message
    case let flag?: return invalid("base64=\(flag) is neither 0 nor 1")
    }
    guard let bytes else { return invalid("the query's message is not Base64") }
    if let outcome = takeConnectTimeout(&head) { return outcome }
    request.message = bytes
    head.encoding = value("compression") ?? ""
    head.accept(head.metadata.list("accept-encoding"))
    head.metadata.removeProtocolFields()
    return .call
  }

  // MARK: The rest

  private func rest(_ head: inout RequestHead, _ target: RequestTarget, hasBody: Bool) -> Outcome {
    guard protocols.served.contains(.rest) else { return .refuse(CallError.MethodNotFound(path: target.path)) }
    switch router.routes.match(verb: head.verb == "HEAD" ? "GET" : head.verb, target: head.path) {
    case .none: return .refuse(CallError.MethodNotFound(path: target.path))
    case .wrongVerb(let allowed): return refuse(head.verb, at: target.path, allowed: allowed)
    case .malformed(let reason): return .refuse(RPCError(.invalidArgument, reason))
    case .call(let call):
      if hasBody, call.takesBody, Form(head.contentType)?.kind != .json {
        return .refuse(
          CallError.UnsupportedMediaType(contentType: head.contentType, supported: ["application/json"]),
          Metadata(entries: [.init(name: "accept-\(head.verb.lowercased())", value: .text("application/json"))]))
      }
      head.path = call.path
      head.wire = PlainJSON.self
      head.codec = .other(RESTCoder(call, protocols.json))
      if let outcome = takeAnyTimeout(&head) { return outcome }
      takeContentCoding(&head)
      head.metadata.removeProtocolFields()
      return .call
    }
  }

  /// OPTIONS: a browser asks for a page's sake, or somebody asks what there is.
  private func options(_ head: RequestHead, _ target: RequestTarget, _ origin: String?) -> Outcome {
    if let cors = protocols.cors, let origin, head.metadata.first("access-control-request-method") != nil {
      return .answer(cors.preflight(origin: origin, headers: head.metadata.list("access-control-request-headers")))
    }
    let allowed = target.path == "*" ? ["POST", "OPTIONS"] : allowed(at: target.path)
    guard !allowed.isEmpty else { return .refuse(CallError.MethodNotFound(path: target.path)) }
    return .answer(HeaderBlock([.init(":status", "204"), .init("allow", allowed.joined(separator: ", "))]))
  }

  /// Verbs by which something at the path is reached.
  private func allowed(at path: String) -> [String] {
    guard let method = context.method(path) else {
      guard protocols.served.contains(.rest),
        case .wrongVerb(let verbs) = router.routes.match(verb: "OPTIONS", target: path)
      else { return [] }
      return Self.withHEAD(verbs) + ["OPTIONS"]
    }
    return verbs(of: method) + ["OPTIONS"]
  }

  /// Verbs by which a method is called at its own path: Connect has GET for unary methods without side effects.
  private func verbs(of method: any ServerMethod) -> [String] {
    let hasGet = protocols.served.contains(.connect) && method.isSafe && !method.shape.isStreaming
    return hasGet ? ["GET", "HEAD", "POST"] : ["POST"]
  }

  /// What answers GET answers HEAD (RFC 9110 §9.3.2).
  private static func withHEAD(_ verbs: [String]) -> [String] {
    guard let index = verbs.firstIndex(of: "GET"), !verbs.contains("HEAD") else { return verbs }
    var verbs = verbs
    verbs.insert("HEAD", at: index + 1)
    return verbs
  }

  private func refuse(_ verb: String, at path: String, allowed: [String]) -> Outcome {
    let allowed = Self.withHEAD(allowed)
    return .refuse(
      CallError.MethodNotAllowed(path: path, allowed: allowed),
      Metadata(entries: [.init(name: "allow", value: .text(allowed.joined(separator: ", ")))]))
  }

  private func unsupportedType(_ type: String, _ method: any ServerMethod) -> Outcome {
    let supported = Form.all.filter { $0.isServed(by: protocols.served) && $0.suits(method.shape) }.map(\.contentType)
    return .refuse(
      CallError.UnsupportedMediaType(contentType: type, supported: supported),
      Metadata(entries: [.init(name: "accept-post", value: .text(supported.joined(separator: ", ")))]))
  }
}

/// A media type by which calls come.
private struct Form {
  enum Kind { case grpc, grpcWeb, grpcWebText, connect, connectStreaming, json }

  var kind: Kind
  let isJSON: Bool
  let contentType: String

  static let all = [
    Form(kind: .grpc, isJSON: false, contentType: "application/grpc"),
    Form(kind: .grpc, isJSON: false, contentType: "application/grpc+proto"),
    Form(kind: .grpc, isJSON: true, contentType: "application/grpc+json"),
    Form(kind: .grpcWeb, isJSON: false, contentType: "application/grpc-web"),
    Form(kind: .grpcWeb, isJSON: false, contentType: "application/grpc-web+proto"),
    Form(kind: .grpcWeb, isJSON: true, contentType: "application/grpc-web+json"),
    Form(kind: .grpcWebText, isJSON: false, contentType: "application/grpc-web-text"),
    Form(kind: .grpcWebText, isJSON: false, contentType: "application/grpc-web-text+proto"),
    Form(kind: .connect, isJSON: false, contentType: "application/proto"),
    json,
    Form(kind: .connectStreaming, isJSON: false, contentType: "application/connect+proto"),
    Form(kind: .connectStreaming, isJSON: true, contentType: "application/connect+json"),
  ]

  private static let json = Form(kind: .json, isJSON: true, contentType: "application/json")
  private static let byType = Dictionary(uniqueKeysWithValues: all.map { ($0.contentType, $0) })

  private init(kind: Kind, isJSON: Bool, contentType: String) {
    self.kind = kind
    self.isJSON = isJSON
    self.contentType = contentType
  }

  /// The form of a content type, with or without parameters; text has no other charset than UTF-8.
  init?(_ contentType: String) {
    // The most frequent one, without a look into the table.
    if let form = contentType == Self.json.contentType ? Self.json : Self.byType[contentType] {
      self = form
      return
    }
    let parts = contentType.split(separator: ";", omittingEmptySubsequences: false)
    guard let type = parts.first, let form = Self.byType[type.trimming.lowercased()] else { return nil }
    for parameter in parts.dropFirst() {
      let pair = parameter.split(separator: "=", maxSplits: 1).map { $0.trimming.lowercased() }
      guard pair.first == "charset" else { continue }
      guard pair.count == 2, ["utf-8", "\"utf-8\"", "utf8"].contains(pair[1]) else { return nil }
    }
    self = form
  }

  /// JSON with Connect's header, or where nothing else speaks JSON, is Connect.
  func settled(_ head: RequestHead, _ protocols: CallProtocols) -> Form {
    guard kind == .json, protocols.served.contains(.connect) else { return self }
    guard head.metadata.first("connect-protocol-version") != nil || !protocols.served.contains(.json) else {
      return self
    }
    var form = self
    form.kind = .connect
    return form
  }

  /// One message of JSON is the whole body.
  var isUnaryJSON: Bool { contentType == Self.json.contentType }

  func isServed(by served: ServedProtocols) -> Bool {
    switch kind {
    case .grpc: true
    case .grpcWeb, .grpcWebText: served.contains(.grpcWeb)
    case .connect, .connectStreaming: served.contains(.connect)
    case .json: served.contains(.json) || served.contains(.connect)
    }
  }

  func suits(_ shape: MethodShape) -> Bool {
    switch kind {
    case .grpc: true
    case .grpcWeb, .grpcWebText: true
    case .connect, .json: !shape.isStreaming
    case .connectStreaming: shape.isStreaming
    }
  }

  var wire: any WireProtocol.Type {
    switch kind {
    case .grpc: GRPC.self
    case .grpcWeb: GRPCWeb.self
    case .grpcWebText: GRPCWebText.self
    case .connect: ConnectUnary.self
    case .connectStreaming: ConnectStreaming.self
    case .json: PlainJSON.self
    }
  }
}

extension RequestHead {
  /// Takes what a header of HTTP says of the encodings that the caller can take apart; one with q=0 it cannot (RFC 9110
  /// §12.5.3).
  fileprivate mutating func accept(_ list: String?) {
    guard let list else { return }
    for item in list.split(separator: ",") {
      let parts = item.split(separator: ";").map(\.trimming)
      guard let name = parts.first, let compression = Compression(rawValue: name.lowercased()) else { continue }
      let isRefused = parts.dropFirst().contains { $0.hasPrefix("q=0") && Double($0.dropFirst(2)) == 0 }
      if !isRefused { accepted.insert(compression) }
    }
  }
}

extension Metadata {
  /// The first text under a name, which is in lower case.
  func first(_ name: String) -> String? {
    for entry in entries where entry.name == name {
      if case .text(let text) = entry.value { return text }
    }
    return nil
  }

  /// The texts under a name, which is in lower case, as one list: a field that is a list may come in several lines (RFC 9110 §5.3).
  func list(_ name: String) -> String? {
    var list: String?
    for entry in entries where entry.name == name {
      guard case .text(let text) = entry.value else { continue }
      list = list.map { "\($0), \(text)" } ?? text
    }
    return list
  }

  /// Removes what belongs to Connect and to HTTP's content coding.
  fileprivate mutating func removeProtocolFields() {
    guard entries.contains(where: \.isOfProtocol) else { return }
    self = Metadata(entries: entries.filter { !$0.isOfProtocol })
  }
}

extension Metadata.Entry {
  fileprivate var isOfProtocol: Bool {
    switch name {
    case "accept-encoding", "content-encoding", "connect-protocol-version", "connect-timeout-ms",
      "connect-content-encoding", "connect-accept-encoding":
      true
    default: false
    }
  }
}
