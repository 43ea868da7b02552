// SPDX-License-Identifier: Apache-2.0
import TaxonErrors
import TaxonProtobuf

/// The details of a wire status, taken apart by the codec that every other message goes through.
struct Decoded {
  let status: Google_Rpc_Status
  let names: [String]

  init(_ wire: WireStatus) throws {
    try self.init(wire.details)
  }

  init(_ bytes: [UInt8]) throws {
    status = try Google_Rpc_Status(decoding: bytes)
    names = status.details.map { String($0.typeURL.dropFirst("type.googleapis.com/".count)) }
  }

  func detail<Detail: Message>(_ type: Detail.Type) throws -> Detail? {
    guard let index = names.firstIndex(of: type.descriptor.name) else { return nil }
    return try Detail(decoding: status.details[index].value)
  }

  var info: Google_Rpc_ErrorInfo? { get throws { try detail(Google_Rpc_ErrorInfo.self) } }
  var traits: ErrorTraits? { get throws { try detail(ErrorTraits.self) } }
  var retryInfo: Google_Rpc_RetryInfo? { get throws { try detail(Google_Rpc_RetryInfo.self) } }
  var badRequest: Google_Rpc_BadRequest? { get throws { try detail(Google_Rpc_BadRequest.self) } }
}

/// A status as any peer may send it.
func status(
  _ code: StatusCode, _ message: String = "", details: [Google_Protobuf_Any], code inDetails: Int32? = nil,
  pushback: String? = nil
) throws -> ReceivedStatus {
  let status = Google_Rpc_Status(code: inDetails ?? code.rawValue, message: message, details: details)
  return ReceivedStatus(code: code, message: message, details: try status.encoded(), pushback: pushback)
}

func pack(_ message: some Message) throws -> Google_Protobuf_Any {
  Google_Protobuf_Any(
    typeURL: "type.googleapis.com/\(type(of: message).descriptor.name)", value: try message.encoded())
}

struct ForeignError: Error, Hashable, CustomStringConvertible {
  var description: String { "secret: password=hunter2" }
}

/// As an app makes a library's error type known.
struct StorageFailure: Error, TaxonomyErrorConvertible {
  var text: String
  var taxonomyError: any TaxonomyError { SystemError.DatabaseError(operation: "query", error: text) }
}
