// SPDX-License-Identifier: Apache-2.0
import TaxonProtobuf

/// A failed call as Connect says it (https://connectrpc.com/docs/protocol, "Error Codes"): the body of a unary answer, and the member
/// `error` at the end of a stream.
///
/// It is `{"code", "message", "details": [{"type", "value", "debug"}]}`, without a message or details where there are none. The details
/// are those of `WireStatus`, in its order. `value` is base64 without padding; `debug` is the same as protobuf's JSON, where the detail
/// may leave as text: an error without its personal fields, and the details that Taxon derives or google.rpc names, but for DebugInfo.
package struct ConnectBody: Hashable, Sendable {
  /// For `Content-Type` of a unary answer.
  package static let contentType = "application/json"
  /// 64 KiB.
  package static let defaultBudget = 65_536

  /// The HTTP status of a unary answer, as Connect prescribes it for the code. A declared one is in ErrorTraits.
  package let httpStatus: Int
  /// The body, in UTF-8.
  package let json: [UInt8]
  /// The same as gRPC says it, for `retry-after`, the instance id and the log.
  package let status: WireStatus

  /// The body for an error.
  ///
  /// - Parameters:
  ///   - options: Only `details`, `languages` and `requestID` count: frames and trailers are gRPC's.
  ///   - budget: Bytes that message and details may take, before `debug`: beyond it details are left out as `WireStatus` does.
  package init(_ error: some TaxonomyError, _ options: WireOptions = WireOptions(), budget: Int = defaultBudget) {
    self = error.acceptVisitor(ConnectMaker(options: .forBody(options, budget)))
  }

  /// The body for anything thrown. What is not a taxonomy error, and has no conversion to one, leaves as `INTERNAL_ERROR` with nothing
  /// of what it says.
  package init(_ error: some Error, _ options: WireOptions = WireOptions(), budget: Int = defaultBudget) {
    self = ConnectMaker(options: .forBody(options, budget)).undeclared(RPCError.lift(error))
  }

  fileprivate init(_ status: WireStatus, _ debug: (Google_Protobuf_Any) -> [UInt8]?) {
    self.status = status
    httpStatus = status.code.httpStatus
    var writer = JSONWriter()
    writer.raw("{\"code\":\"\(status.code.connectName)\"")
    if !status.message.isEmpty {
      writer.raw(",\"message\":")
      writer.string(status.message)
    }
    // WireStatus has just encoded them.
    let details = (try? Google_Rpc_Status(decoding: status.details).details) ?? []
    if !details.isEmpty {
      writer.raw(",\"details\":")
      writer.list("[", details, "]") { writer, detail in
        writer.raw("{\"type\":")
        writer.string(detail.messageName)
        writer.raw(",\"value\":")
        writer.base64(detail.value, isPadded: false)
        if let json = debug(detail) {
          writer.raw(",\"debug\":")
          writer.written(json)
        }
        writer.raw("}")
      }
    }
    writer.raw("}")
    json = writer.bytes
  }
}

extension WireOptions {
  /// The details of other options, within a budget that no header list limits.
  fileprivate static func forBody(_ options: WireOptions, _ budget: Int) -> WireOptions {
    var body = options
    body.budget = budget
    body.framing = .oneFrame
    body.reserved = 0
    return body
  }
}

/// Makes the body of an error.
private struct ConnectMaker: ErrorVisitor {
  let options: WireOptions

  func declared(_ error: some DeclaredError) -> ConnectBody {
    let type = type(of: error)
    let name = type.descriptor.name
    return ConnectBody(WireStatus(error, options)) { detail in
      detail.messageName == name ? safeJSON(of: detail.value, as: type) : knownJSON(of: detail)
    }
  }

  func undeclared(_ error: RPCError) -> ConnectBody {
    if error.context.isFromCall { return declared(CallError.InternalError(cause: error)) }
    if let known = error.declared { return declared(known) }
    return ConnectBody(WireStatus(error, options), knownJSON)
  }

  /// An error as text; nil where it has none.
  private func safeJSON<Declared: DeclaredError>(of bytes: [UInt8], as type: Declared.Type) -> [UInt8]? {
    try? Declared(decoding: bytes).safePayload.jsonBytes()
  }

  /// Details that have nothing in them but what is meant to be read by the caller.
  private static let known: [String: any Message.Type] = {
    let types: [any Message.Type] = [
      Google_Rpc_ErrorInfo.self, Google_Rpc_RetryInfo.self, Google_Rpc_QuotaFailure.self,
      Google_Rpc_PreconditionFailure.self, Google_Rpc_BadRequest.self, Google_Rpc_RequestInfo.self,
      Google_Rpc_ResourceInfo.self, Google_Rpc_Help.self, Google_Rpc_LocalizedMessage.self, ErrorTraits.self,
    ]
    return Dictionary(types.map { ($0.descriptor.name, $0) }, uniquingKeysWith: { first, _ in first })
  }()

  private func knownJSON(of detail: Google_Protobuf_Any) -> [UInt8]? {
    guard let type = Self.known[detail.messageName] else { return nil }
    return try? type.init(decoding: detail.value).jsonBytes()
  }
}

/// The last message of a stream in Connect ("Error End-Stream" and "Streaming-Response" of its protocol): `{"error", "metadata"}`, each
/// where there is one.
package enum ConnectEndOfStream {
  /// The message, in UTF-8.
  ///
  /// - Parameters:
  ///   - error: The JSON of the error (`ConnectBody.json`), if the call has failed.
  ///   - metadata: The trailing metadata: each name once, with its values as they would stand in a header.
  package static func bytes(error: [UInt8]?, metadata: [(name: String, values: [String])] = []) -> [UInt8] {
    var writer = JSONWriter()
    writer.raw("{")
    if let error {
      writer.raw("\"error\":")
      writer.written(error)
    }
    if !metadata.isEmpty {
      if error != nil { writer.raw(",") }
      writer.raw("\"metadata\":")
      writer.list("{", metadata, "}") { writer, field in
        writer.name(field.name)
        writer.list("[", field.values, "]") { $0.string($1) }
      }
    }
    writer.raw("}")
    return writer.bytes
  }
}
