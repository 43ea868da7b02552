// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// The errors for requests that are wrong. The only place that knows which ones they are.
enum RESTFaults {
  /// `CallError.InvalidRequest`: values that do not fit their fields.
  static func invalidRequest(_ violations: [Google_Rpc_BadRequest.FieldViolation]) -> RPCError {
    RPCError(CallError.InvalidRequest(errors: violations))
  }

  /// `CallError.MalformedJSON`: a body that is no JSON.
  static func malformed(_ error: JSONDecodingError, _ type: MessageDescriptor) -> RPCError {
    RPCError(
      CallError.MalformedJSON(
        type: type.name, reason: "\(error.reason)", line: Int64(error.line), column: Int64(error.column),
        path: error.path))
  }

  /// What in a body does not fit the request, or the field that the body is; nil when the body is no JSON at all.
  static func violations(
    _ error: JSONDecodingError, _ text: UnsafeBufferPointer<UInt8>, _ rule: RESTRule
  ) -> [Google_Rpc_BadRequest.FieldViolation]? {
    guard isJSON(text) else { return nil }
    var path = error.path
    if case .field(let field) = rule.body {
      path = path.isEmpty ? field.name : path.hasPrefix("[") ? field.name + path : "\(field.name).\(path)"
    }
    return [.init(field: path, description: "\(error.reason)")]
  }

  private static func isJSON(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    do throws(JSONDecodingError) {
      _ = try Google_Protobuf_Value(json: text)
      return true
    } catch {
      switch error.reason {
      case .duplicateKey, .nestingTooDeep, .outOfRange: return true
      default: return false
      }
    }
  }
}
